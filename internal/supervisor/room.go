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
	if !s.config.InMemory || s.config.Memory == 0 {
		return nil
	}
	programs := s.programs.size()
	if s.config.Memory-programs >= LeastMemory {
		return nil
	}
	return fmt.Errorf("%w: the program takes %d MB of the %d MB of memory that the worker %s has for it and its tasks, which need %d MB at least: "+
		"raise the backend's memory parameter (memory=)", backends.ErrInvalid, programs>>20, s.config.Memory>>20, s.config.Name, LeastMemory>>20)
}
