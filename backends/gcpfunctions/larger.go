package gcpfunctions

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/gowren/gowren/backends"
)

// Enlarge implements [backends.Enlarger]: instances have the processors that go with the memory, and none is kept warm. The
// larger function is this configuration's alone, so that one that was asked for with as much memory stays when this one is
// destroyed.
func (b *Backend) Enlarge() (backends.Backend, error) {
	c := b.config
	cpus := slices.Sorted(maps.Keys(memories))
	most := memories[cpus[len(cpus)-1]][1]
	if c.MemoryMB >= most {
		return nil, fmt.Errorf("%s: an instance has %d MB, which is the most in Cloud Functions: make tasks smaller, or choose another backend: %w", scheme, c.MemoryMB, backends.ErrInvalid)
	}
	c.from, c.MemoryMB = cmp.Or(c.from, c.MemoryMB), min(2*c.MemoryMB, most)
	for _, n := range cpus {
		if c.CPU = max(c.CPU, n); c.MemoryMB <= memories[c.CPU][1] {
			break
		}
	}
	c.MinInstances = 0
	larger, err := New(c)
	if err != nil {
		return nil, err
	}
	larger.pace = b.pace
	return larger, nil
}
