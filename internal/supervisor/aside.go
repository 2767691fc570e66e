package supervisor

import "sync"

// Aside is what a driver does beside its calls: nobody waits for it but Close. The zero value is ready.
type Aside struct {
	mu     sync.Mutex
	closed bool
	all    sync.WaitGroup // it grows before closed only
}

// Go does something in a goroutine, or, once Close has begun, at once.
func (a *Aside) Go(do func()) {
	a.mu.Lock()
	closed := a.closed
	if !closed {
		a.all.Go(do)
	}
	a.mu.Unlock()
	if closed {
		do()
	}
}

// Wait waits for what is being done.
func (a *Aside) Wait() { a.all.Wait() }

// Close waits for what is being done. What comes later is done before Go returns.
func (a *Aside) Close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.all.Wait()
}
