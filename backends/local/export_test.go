package local

// MachineMB is the memory of this machine.
var MachineMB = machineMB

// Config is what the backend was made with.
func (b *Backend) Config() Config { return b.config }
