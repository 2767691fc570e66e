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
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
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

// take removes a batch of tasks whose time has come: one that must run alone, or up to n that need not.
func (d *delays) take(now time.Time, n int) []Task {
	var tasks []Task
	for d.due(now) && len(tasks) < n {
		if (*d)[0].alone && len(tasks) > 0 {
			break
		}
		first := heap.Pop(d).(delayed)
		tasks = append(tasks, first.task)
		if first.alone {
			break
		}
	}
	return tasks
}
