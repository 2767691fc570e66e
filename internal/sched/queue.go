package sched

// queue holds tasks in the order in which they came, in chunks: so that one costs the same however many wait.
type queue struct {
	chunks [][]Task
	head   int // of the first chunk: tasks that were taken
	n      int
	bytes  int // of their inputs
}

// chunk is the most tasks that one has. The first grows up to it: a job may be a single task.
const chunk = 1024

func (q *queue) len() int { return q.n }

func (q *queue) add(tasks ...Task) {
	for _, t := range tasks {
		last := len(q.chunks) - 1
		if last < 0 || len(q.chunks[last]) == chunk {
			q.chunks = append(q.chunks, nil)
			if last++; last > 0 {
				q.chunks[last] = make([]Task, 0, chunk)
			}
		}
		q.chunks[last] = append(q.chunks[last], t)
		q.bytes += len(t.Data)
	}
	q.n += len(tasks)
}

// within returns how many of the first n tasks have so many bytes of inputs together; one at least.
func (q *queue) within(n, bytes int) int {
	at, c := q.head, 0
	for i := range n {
		if at == len(q.chunks[c]) {
			at, c = 0, c+1
		}
		if bytes -= len(q.chunks[c][at].Data); bytes < 0 {
			return max(i, 1)
		}
		at++
	}
	return n
}

// take removes the first n tasks.
func (q *queue) take(n int) []Task {
	taken := make([]Task, 0, n)
	for len(taken) < n {
		first := q.chunks[0][q.head:]
		first = first[:min(len(first), n-len(taken))]
		taken = append(taken, first...)
		clear(first) // lets go of the inputs
		if q.head += len(first); q.head == len(q.chunks[0]) {
			q.drop()
		}
	}
	q.n -= n
	q.bytes -= size(taken...)
	return taken
}

// drop lets go of the first chunk. The last one is used again.
func (q *queue) drop() {
	q.head = 0
	if len(q.chunks) == 1 {
		q.chunks[0] = q.chunks[0][:0]
		return
	}
	q.chunks[0] = nil
	q.chunks = q.chunks[1:]
}

// size is that of the tasks' inputs in bytes.
func size(tasks ...Task) int {
	n := 0
	for i := range tasks {
		n += len(tasks[i].Data)
	}
	return n
}
