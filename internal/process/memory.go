package process

import (
	"fmt"
	"time"

	"github.com/gowren/gowren/backends"
)

// memoryPeriod is how often a worker's memory is looked at. What it takes between two looks goes over the limit.
const memoryPeriod = 10 * time.Millisecond

// watchMemory kills the worker when its resident memory is over the limit.
func (c *Child) watchMemory() {
	tick := time.NewTicker(memoryPeriod)
	defer tick.Stop()
	for {
		select {
		case <-c.exited:
			return
		case <-tick.C:
		}
		used, ok := resident(c.PID())
		if !ok {
			continue // it is ending
		}
		if used > c.config.Memory {
			c.kill(fmt.Errorf("%w: it used %d MB, its limit is %d MB (the backend's memory parameter)",
				backends.ErrOutOfMemory, used>>20, c.config.Memory>>20))
			return
		}
	}
}
