package dataset

import "slices"

// pool are the groups whose rows are shuffled together.
type pool struct {
	slots []*slot
	total int // rows
	// order are the rows as they come: the slot, and the row of its group in the lower 16 bits. It is empty where a pool is
	// one piece as it is stored.
	order []uint32
}

func (p *pool) reset() { *p = pool{slots: p.slots[:0], order: p.order[:0]} }

func (p *pool) add(s *slot) {
	p.slots = append(p.slots, s)
	p.total += s.to - s.from
}

func (p *pool) shuffle() {
	for i, s := range p.slots {
		for row := s.from; row < s.to; row++ {
			p.order = append(p.order, uint32(i)<<16|uint32(row))
		}
	}
	p.slots[len(p.slots)-1].pool.shuffle(p.order)
}

// gather adds rows of the pool to a batch.
func (p *pool) gather(b *Batch, from, to int) {
	switch {
	case len(p.order) == 0:
		s := p.slots[0]
		b.add(&s.Batch, s.from+from, s.from+to)
	case b.Ptr == nil:
		p.gatherDense(b, p.order[from:to])
	default:
		p.gatherSparse(b, p.order[from:to])
	}
}

func (p *pool) gatherDense(b *Batch, rows []uint32) {
	n, w := b.Rows, b.Width
	b.Rows += len(rows)
	p.gatherColumns(b, n, rows)
	b.Values = slices.Grow(b.Values, len(rows)*w)[:b.Rows*w]
	to := b.Values[n*w:]
	for _, at := range rows {
		from := p.slots[at>>16].Values[int(at&0xffff)*w:]
		copy(to[:w], from[:w])
		to = to[w:]
	}
}

func (p *pool) gatherSparse(b *Batch, rows []uint32) {
	n := b.Rows
	b.Rows += len(rows)
	p.gatherColumns(b, n, rows)
	end := b.Ptr[n]
	for _, at := range rows {
		g, row := &p.slots[at>>16].Batch, int(at&0xffff)
		end += g.Ptr[row+1] - g.Ptr[row]
		b.Ptr = append(b.Ptr, end)
	}
	b.Idx = slices.Grow(b.Idx, end-len(b.Idx))[:end]
	b.Values = slices.Grow(b.Values, end-len(b.Values))[:end]
	for i, at := range rows {
		g, row := &p.slots[at>>16].Batch, int(at&0xffff)
		begin, end := g.Ptr[row], g.Ptr[row+1]
		copy(b.Idx[b.Ptr[n+i]:], g.Idx[begin:end])
		copy(b.Values[b.Ptr[n+i]:], g.Values[begin:end])
	}
}

// gatherColumns adds the labels and weights, from row n on.
func (p *pool) gatherColumns(b *Batch, n int, rows []uint32) {
	if b.Labels != nil {
		b.Labels = slices.Grow(b.Labels, len(rows))[:b.Rows]
		for i, at := range rows {
			b.Labels[n+i] = p.slots[at>>16].Labels[at&0xffff]
		}
	}
	if b.Weights != nil {
		b.Weights = slices.Grow(b.Weights, len(rows))[:b.Rows]
		for i, at := range rows {
			b.Weights[n+i] = p.slots[at>>16].Weights[at&0xffff]
		}
	}
}

// empty makes a batch of a set that has no rows yet, and keeps its memory.
func (b *Batch) empty(m *Manifest) {
	*b = Batch{Width: m.Width, Values: b.Values[:0], Ptr: b.Ptr[:0], Idx: b.Idx[:0], Labels: b.Labels[:0], Weights: b.Weights[:0]}
	if m.Sparse {
		b.Ptr = append(b.Ptr, 0)
	}
	if m.Labels && b.Labels == nil {
		b.Labels = []float32{}
	}
	if m.Weights && b.Weights == nil {
		b.Weights = []float32{}
	}
}

// add adds rows of another batch of the same form.
func (b *Batch) add(from *Batch, begin, end int) {
	b.Rows += end - begin
	if b.Labels != nil {
		b.Labels = append(b.Labels, from.Labels[begin:end]...)
	}
	if b.Weights != nil {
		b.Weights = append(b.Weights, from.Weights[begin:end]...)
	}
	if b.Ptr == nil {
		b.Values = append(b.Values, from.Values[begin*b.Width:end*b.Width]...)
		return
	}
	base := len(b.Values) - from.Ptr[begin]
	for _, at := range from.Ptr[begin+1 : end+1] {
		b.Ptr = append(b.Ptr, base+at)
	}
	b.Idx = append(b.Idx, from.Idx[from.Ptr[begin]:from.Ptr[end]]...)
	b.Values = append(b.Values, from.Values[from.Ptr[begin]:from.Ptr[end]]...)
}
