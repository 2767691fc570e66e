package sched

import "time"

// A batch should take long beside what an invocation costs by itself, and short beside the job. Its duration is aimed
// at a hundred times the least overhead seen, within these bounds.
const (
	shortestBatch = 5 * time.Millisecond
	longestBatch  = 2 * time.Second
	growth        = 16 // the most by which one batch is larger than those before
)

// sizer chooses how many tasks go into a batch.
type sizer struct {
	fixed, cpus, slots int

	largest  int           // that was seen to end
	task     time.Duration // mean of late, weighted toward the latest
	overhead time.Duration // the least seen
}

func newSizer(p Policy) sizer {
	return sizer{fixed: p.BatchSize, cpus: p.CPUs, slots: p.Concurrency}
}

// next returns a size for a batch out of so many waiting tasks.
func (s *sizer) next(waiting int) int {
	if s.fixed > 0 {
		return s.fixed
	}
	if s.largest == 0 { // nothing is known: one task for each CPU
		return s.cpus
	}
	target := min(max(100*s.overhead, shortestBatch), longestBatch)
	n := s.largest * growth
	if s.task > 0 {
		n = min(n, int(target*time.Duration(s.cpus)/s.task))
	}
	// Toward the end, and where inputs come slowly, every worker gets a share of what there is.
	share := (waiting + 2*s.slots - 1) / (2 * s.slots)
	return max(min(n, share), min(s.cpus, waiting), 1)
}

// expect returns how long a batch of so many tasks may take on a worker that is at hand; 0 where nothing is known.
func (s *sizer) expect(tasks int) time.Duration {
	if s.task == 0 {
		return 0
	}
	return s.overhead + time.Duration(tasks)*s.task/time.Duration(s.cpus)
}

// observe learns from a batch that ended: how many tasks ran, how long they took added up, and how long it took in all.
func (s *sizer) observe(ran int, busy, wall time.Duration) {
	if ran <= 0 {
		return
	}
	s.largest = max(s.largest, ran)
	each := max(busy/time.Duration(ran), 1)
	if s.task == 0 {
		s.task = each
	} else {
		s.task += (each - s.task) / 4
	}
	s.task = max(s.task, 1)
	if over := max(wall-busy/time.Duration(s.cpus), time.Microsecond); s.overhead == 0 || over < s.overhead {
		s.overhead = over
	}
}
