package shuffle

import "io"

// Run tells where a run lies in its object, and what is where in it.
type Run struct {
	_msgpack struct{} `msgpack:",as_array"`

	Off int64 // in the object
	// Parts has the size of each hash partition. It is nil in a run for sorting.
	Parts []int64
	// Size is that of a run for sorting, whose Points are at about even distances, the first at its beginning.
	Size   int64
	Points []Point
}

// Point is a place in a run for sorting at which a block begins.
type Point struct {
	_msgpack struct{} `msgpack:",as_array"`

	Key []byte // of the first record there
	Off int64  // from the run's beginning
}

// Bounds on the points of a run: they travel through the driver.
const (
	pointDistance = 256 << 10
	maxPoints     = 1024
	maxPointBytes = 256 << 10 // of their keys
)

// runWriter writes sorted records as a run.
type runWriter struct {
	w        io.Writer
	compress bool
	block    block
	run      Run
	pos      int64 // from the run's beginning
	part     uint32
	distance int64 // least one between points
	points   int   // bytes of their keys
	sorting  bool
	first    []byte // the key that the block begins with, where sorting
}

// newRunWriter begins a run at off in w, for that many hash partitions, or for sorting where parts is 0.
func newRunWriter(w io.Writer, off int64, parts int, compress bool) *runWriter {
	r := &runWriter{w: w, compress: compress, run: Run{Off: off}, distance: pointDistance, sorting: parts == 0}
	if parts > 0 {
		r.run.Parts = make([]int64, parts)
	}
	return r
}

// add writes a record; they come in the order of part and key.
func (r *runWriter) add(part uint32, key, value []byte) error {
	if len(key)+len(value) > MaxRecord { // as what was folded can be, and a reader takes no more
		return errTooLarge(len(key) + len(value))
	}
	if r.block.full() || part != r.part && !r.block.empty() {
		if err := r.flush(); err != nil {
			return err
		}
	}
	r.part = part
	if r.sorting && r.block.empty() {
		r.first = append(r.first[:0], key...)
	}
	r.block.add(key, value)
	return nil
}

func (r *runWriter) flush() error {
	if r.block.empty() {
		return nil
	}
	stored := r.block.finish(r.compress)
	if _, err := r.w.Write(stored); err != nil {
		return err
	}
	if r.sorting {
		r.point()
	} else {
		r.run.Parts[r.part] += int64(len(stored))
	}
	r.pos += int64(len(stored))
	return nil
}

// point notes where the block begins, unless the last point is near. When there are too many, every second goes.
func (r *runWriter) point() {
	p := r.run.Points
	if len(p) > 0 && r.pos-p[len(p)-1].Off < r.distance {
		return
	}
	if len(p) == maxPoints || len(p) > 1 && r.points > maxPointBytes {
		n := (len(p) + 1) / 2
		for i := range n {
			p[i] = p[2*i]
		}
		clear(p[n:])
		p = p[:n]
		r.distance *= 2
		r.points = 0
		for i := range p {
			r.points += len(p[i].Key)
		}
	}
	r.points += len(r.first)
	r.run.Points = append(p, Point{Key: append([]byte{}, r.first...), Off: r.pos})
}

// finish ends the run.
func (r *runWriter) finish() (Run, error) {
	err := r.flush()
	if r.sorting {
		r.run.Size = r.pos
	}
	return r.run, err
}

// write writes the buffer's records, sorted, as a run. Value returns the value of the record with that number; where it is
// nil, records have the values that they were added with.
func (b *Buffer) write(r *runWriter, value func(number uint32) ([]byte, error)) error {
	b.sort()
	for i := range b.entries {
		e := &b.entries[i]
		key, v, number := b.parse(e.at)
		if value != nil {
			var err error
			if v, err = value(number); err != nil {
				return err
			}
		}
		if err := r.add(e.part, key, v); err != nil {
			return err
		}
	}
	return nil
}
