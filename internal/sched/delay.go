package sched

import (
	"container/heap"
	"time"
)

// delayed is a task to be tried again at a time. It runs alone if it killed its worker the last time.
type delayed struct {
	at    time.Time
	task  Task
	alone bool
}

// delays holds delayed tasks, the soonest first.
type delays []delayed

func (d delays) Len() int           { return len(d) }
func (d delays) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d delays) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }

// Push implements [heap.Interface].
func (d *delays) Push(x any) { *d = append(*d, x.(delayed)) }

// Pop implements [heap.Interface].
func (d *delays) Pop() any {
	n := len(*d) - 1
	last := (*d)[n]
	(*d)[n] = delayed{} // lets go of the input
	*d = (*d)[:n]
	return last
}

func (d *delays) add(x delayed) { heap.Push(d, x) }

func (d delays) due(now time.Time) bool { return len(d) > 0 && !d[0].at.After(now) }

func (d delays) soonest() time.Time {
	if len(d) == 0 {
		return time.Time{}
	}
	return d[0].at
}

// take removes a batch of tasks whose time has come: one that must run alone, or up to n that need not, with as many
// bytes of input as a batch may have (0: any number) unless one task has more.
func (d *delays) take(now time.Time, n, limit int) (tasks []Task, alone bool) {
	bytes := 0
	for d.due(now) && len(tasks) < n {
		first := &(*d)[0]
		bytes += len(first.task.Data)
		if len(tasks) > 0 && (first.alone || limit > 0 && bytes > limit) {
			break
		}
		alone = first.alone
		tasks = append(tasks, heap.Pop(d).(delayed).task)
		if alone {
			break
		}
	}
	return tasks, alone
}
