package azurefunctions

import (
	"cmp"
	"slices"

	"github.com/gowren/gowren/backends"
)

// Enlarge implements [backends.Enlarger]: instances have the next size. The larger app is this configuration's alone, so
// that one that was asked for with as much memory stays when this one is destroyed.
func (b *Backend) Enlarge() (backends.Backend, error) {
	c := b.config
	next := slices.Index(memories, c.MemoryMB) + 1
	if next == len(memories) {
		return nil, invalid("an instance has %d MB, which is the most in Flex Consumption: make tasks smaller, or choose another backend", c.MemoryMB)
	}
	c.from, c.MemoryMB, c.Credential = cmp.Or(c.from, c.MemoryMB), memories[next], b.credential
	larger, err := newBackend(c, b.patience)
	if err != nil {
		return nil, err
	}
	larger.method, larger.concurrency = b.method, b.concurrency
	return larger, nil
}
