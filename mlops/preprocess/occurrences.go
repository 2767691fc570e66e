package preprocess

// occurrences are how often values occur in a block: what is emitted once for a block is what a value costs.
type occurrences struct {
	index map[string]int
	list  []occurrence
}

type occurrence struct {
	Counted
	last int // the row of the last one, from 1 on
}

// add counts a value in a row. Rows rise.
func (o *occurrences) add(value []byte, row int) {
	i, known := o.index[string(value)]
	if !known {
		if o.index == nil {
			o.index = map[string]int{}
		}
		i = len(o.list)
		o.index[string(value)] = i
		o.list = append(o.list, occurrence{Counted: Counted{Value: append([]byte(nil), value...)}})
	}
	c := &o.list[i]
	c.N++
	if c.last != row+1 {
		c.last = row + 1
		c.Rows++
	}
}

// emit tells what was counted, and begins again.
func (o *occurrences) emit(list string, emit func(list string, value []byte, n, rows int64)) {
	for _, c := range o.list {
		emit(list, c.Value, c.N, c.Rows)
	}
	clear(o.index)
	clear(o.list)
	o.list = o.list[:0]
}
