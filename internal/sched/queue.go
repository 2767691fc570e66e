package sched

// queue holds tasks in the order in which they came.
type queue struct {
	tasks []Task // from head on
	head  int
	bytes int // of their inputs
}

func (q *queue) len() int { return len(q.tasks) - q.head }

func (q *queue) waiting() []Task { return q.tasks[q.head:] }

func (q *queue) add(tasks ...Task) {
	if q.head > 4096 && q.head*2 > len(q.tasks) { // more was taken than is left: the copy costs less than what it frees
		n := copy(q.tasks, q.waiting())
		clear(q.tasks[n:])
		q.tasks, q.head = q.tasks[:n], 0
	}
	q.tasks = append(q.tasks, tasks...)
	q.bytes += size(tasks...)
}

// take removes the first n tasks.
func (q *queue) take(n int) []Task {
	first := q.tasks[q.head : q.head+n]
	taken := append(make([]Task, 0, n), first...)
	clear(first) // lets go of the inputs
	q.head += n
	if q.head == len(q.tasks) {
		q.tasks, q.head = q.tasks[:0], 0
	}
	q.bytes -= size(taken...)
	return taken
}

// size is that of the tasks' inputs in bytes.
func size(tasks ...Task) int {
	n := 0
	for i := range tasks {
		n += len(tasks[i].Data)
	}
	return n
}
