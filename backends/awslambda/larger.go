package awslambda

import (
	"cmp"

	"github.com/gowren/gowren/backends"
)

// Enlarge implements [backends.Enlarger]: the larger function is this configuration's alone, so that one that was asked for
// with as much memory stays when this one is destroyed. No concurrency is set aside for it.
func (b *Backend) Enlarge() (backends.Backend, error) {
	c := b.config
	if c.MemoryMB >= mostMemory {
		return nil, invalid("a worker has %d MB, which is the most in Lambda: make tasks smaller, or choose another backend", c.MemoryMB)
	}
	c.from, c.MemoryMB = cmp.Or(c.from, c.MemoryMB), min(2*c.MemoryMB, mostMemory)
	c.Reserved = 0
	larger, err := New(c)
	if err != nil {
		return nil, err
	}
	larger.pack = b.pack
	return larger, nil
}
