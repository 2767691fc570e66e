package shuffle

// Packer makes a segment in memory of sorted records: a reduce task's result.
type Packer struct {
	run  *runWriter
	data []byte
}

// NewPacker returns a packer that appends to dst.
func NewPacker(dst []byte) *Packer {
	p := &Packer{data: dst}
	p.run = newRunWriter(p, 0, 1, false)
	return p
}

// Write is for the records' blocks.
func (p *Packer) Write(block []byte) (int, error) {
	p.data = append(p.data, block...)
	return len(block), nil
}

// Add adds a record; they come in the order of the keys.
func (p *Packer) Add(key, value []byte) error { return p.run.add(0, key, value) }

// Finish returns dst and the segment.
func (p *Packer) Finish() ([]byte, error) {
	_, err := p.run.finish()
	return p.data, err
}

// Pairs returns the task that merges what packers made.
func Pairs(segments [][]byte) Task {
	var t Task
	for _, data := range segments {
		t.Segments = append(t.Segments, Segment{Data: data, Size: int64(len(data))})
	}
	return t
}
