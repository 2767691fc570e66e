package lambda

// jailed returns the folders of the server's control groups.
func (s *Server) jailed() (memory, freezer string) { return s.jail.memory, s.jail.freezer }
