package supervisor

import (
	"fmt"

	"github.com/gowren/gowren/backends"
)

// LeastMemory is what a child must have at least, in bytes: a program with a store's SDK takes half of it before it does
// anything.
const LeastMemory = 64 << 20

// room returns an error where fetched programs, which lie in memory, leave too little of it for a child.
func (s *Supervisor) room() error {
	if !s.config.InMemory || s.config.Memory == 0 || s.config.Memory-s.programs.size() >= LeastMemory {
		return nil
	}
	return fmt.Errorf("%w: the worker %s has too little memory: %s", backends.ErrInvalid, s.config.Name, wanting(s.config.Memory))
}

// wanting says what of so many bytes programs leave too little for.
func wanting(memory int64) string {
	return fmt.Sprintf("there are %d MB of memory for it and its tasks, which need %d MB at least: raise the backend's memory parameter (memory=)",
		memory>>20, LeastMemory>>20)
}
