package shuffle

import (
	"bytes"
	"slices"
)

// bound parts sorted runs in two: what is less than the key, and of the records with that very key those of the runs
// below number run. A key that is very frequent is so parted too.
type bound struct {
	key []byte
	run int
}

// Cut chooses parts ranges of keys, or fewer, of about equal size in all runs together, and returns a task for each, in
// the order of the keys. It is sorting by regular sampling (Shi and Schaeffer 1992): each run is sorted, and its Points
// are a sample at even distances, so that nothing is read twice, and how far a range can be from its share is known: the
// distance of two points in each run.
//
// A task's segments begin and end at points, so that they may hold records beyond its range, which it drops.
func Cut(outputs []Output, parts int) []Task {
	runs := sortingRuns(outputs)
	bounds := choose(runs, parts)
	tasks := make([]Task, 0, len(bounds)+1)
	for i := 0; i <= len(bounds); i++ {
		var t Task
		if i > 0 {
			t.From = bounds[i-1].key
		}
		if i < len(bounds) {
			t.To = bounds[i].key
		}
		for n, r := range runs {
			from, to := int64(0), r.Size
			seg := Segment{Name: r.name}
			if i > 0 {
				b := bounds[i-1]
				seg.After = n < b.run
				from = r.Points[max(r.cut(n, b)-1, 0)].Off
			}
			if i < len(bounds) {
				b := bounds[i]
				seg.Through = n < b.run
				if at := r.cut(n, b); at < len(r.Points) {
					to = r.Points[at].Off
				}
			}
			if from >= to {
				continue
			}
			seg.Off, seg.Size = r.Off+from, to-from
			if r.name == "" {
				seg.Data = r.data[seg.Off : seg.Off+seg.Size]
				seg.Off = 0
			}
			t.Segments = append(t.Segments, seg)
		}
		tasks = append(tasks, t)
	}
	return tasks
}

// sortingRun is a run, and where it is.
type sortingRun struct {
	Run
	name string
	data []byte
}

func sortingRuns(outputs []Output) []sortingRun {
	var runs []sortingRun
	for i := range outputs {
		for _, r := range outputs[i].Runs {
			if len(r.Points) > 0 {
				runs = append(runs, sortingRun{r, outputs[i].Name, outputs[i].Data})
			}
		}
	}
	return runs
}

// cut returns the first point of the run, which has that number, whose record is not below the bound.
func (r *sortingRun) cut(number int, b bound) int {
	at, _ := slices.BinarySearchFunc(r.Points, b, func(p Point, b bound) int {
		if c := bytes.Compare(p.Key, b.key); c != 0 || number >= b.run {
			if c == 0 {
				return 1 // the record is not below; an earlier one may be the first
			}
			return c
		}
		return -1
	})
	return at
}

// choose returns up to parts-1 bounds, rising.
func choose(runs []sortingRun, parts int) []bound {
	type step struct {
		bound
		size int64 // of the run from here to its next point
	}
	var steps []step
	var total int64
	for n, r := range runs {
		total += r.Size
		for i, p := range r.Points {
			end := r.Size
			if i+1 < len(r.Points) {
				end = r.Points[i+1].Off
			}
			steps = append(steps, step{bound{p.Key, n}, end - p.Off})
		}
	}
	slices.SortStableFunc(steps, func(x, y step) int {
		if c := bytes.Compare(x.key, y.key); c != 0 {
			return c
		}
		return x.run - y.run
	})
	var bounds []bound
	var sum int64
	for _, s := range steps {
		share := int64(len(bounds)+1) * (total/int64(parts) + 1)
		if sum >= share && len(bounds) < parts-1 && (len(bounds) == 0 || less(bounds[len(bounds)-1], s.bound)) {
			bounds = append(bounds, s.bound)
		}
		sum += s.size
	}
	return bounds
}

func less(x, y bound) bool {
	c := bytes.Compare(x.key, y.key)
	return c < 0 || c == 0 && x.run < y.run
}

// Parts returns a task for each hash partition, of parts.
func Parts(outputs []Output, parts int) []Task {
	tasks := make([]Task, parts)
	for i := range outputs {
		o := &outputs[i]
		for _, r := range o.Runs {
			off := r.Off
			for p, size := range r.Parts {
				if size == 0 {
					continue
				}
				seg := Segment{Name: o.Name, Off: off, Size: size}
				if o.Name == "" {
					seg.Off, seg.Data = 0, o.Data[off:off+size]
				}
				tasks[p].Segments = append(tasks[p].Segments, seg)
				off += size
			}
		}
	}
	return tasks
}
