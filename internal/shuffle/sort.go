package shuffle

import (
	"bytes"
	"cmp"
	"slices"
)

// few is the number of entries below which comparing them beats counting their bytes.
const few = 128

// deepest is how far into the keys radix passes go. Beyond, each would cost more than it parts.
const deepest = 64

// sort orders the entries by partition, then by key; equal keys stay in the order in which they were added.
func (b *Buffer) sort() {
	e := b.entries
	if len(e) < few {
		b.compare(e)
		return
	}
	b.spare = slices.Grow(b.spare[:0], len(e))[:len(e)]
	b.radix(e, b.spare, true)
	b.ties(e, 0)
}

// radix sorts by prefix, and by partition above it, one byte after another from the lowest, and skips bytes that all
// entries have alike. It is stable.
func (b *Buffer) radix(e, spare []entry, parts bool) {
	digits := 8
	if parts && b.parts > 1 {
		digits += 4
	}
	var counts [12][256]uint32
	for i := range e {
		p, q := e[i].prefix, e[i].part
		counts[0][p&255]++
		counts[1][p>>8&255]++
		counts[2][p>>16&255]++
		counts[3][p>>24&255]++
		counts[4][p>>32&255]++
		counts[5][p>>40&255]++
		counts[6][p>>48&255]++
		counts[7][p>>56]++
		if digits > 8 {
			counts[8][q&255]++
			counts[9][q>>8&255]++
			counts[10][q>>16&255]++
			counts[11][q>>24]++
		}
	}
	from, to := e, spare
	for d := range digits {
		c := &counts[d]
		if c[digit(&from[0], d)] == uint32(len(e)) {
			continue
		}
		sum := uint32(0)
		for i := range c {
			c[i], sum = sum, sum+c[i]
		}
		if d < 8 {
			shift := 8 * d
			for i := range from {
				k := from[i].prefix >> shift & 255
				to[c[k]] = from[i]
				c[k]++
			}
		} else {
			shift := 8 * (d - 8)
			for i := range from {
				k := from[i].part >> shift & 255
				to[c[k]] = from[i]
				c[k]++
			}
		}
		from, to = to, from
	}
	if &from[0] != &e[0] {
		copy(e, from)
	}
}

func digit(e *entry, d int) uint64 {
	if d < 8 {
		return e.prefix >> (8 * d) & 255
	}
	return uint64(e.part) >> (8 * (d - 8)) & 255
}

// ties orders, in sorted entries, those of one partition and prefix by what follows the first depth+8 bytes of the keys.
func (b *Buffer) ties(e []entry, depth int) {
	for i := 0; i < len(e); {
		j := i + 1
		for j < len(e) && e[j].prefix == e[i].prefix && e[j].part == e[i].part {
			j++
		}
		if j-i > 1 {
			b.tie(e[i:j], depth+8)
		}
		i = j
	}
}

// tie orders entries of one partition whose keys agree in their first depth bytes, where one that is shorter counts as
// ending in zeros.
func (b *Buffer) tie(e []entry, depth int) {
	if b.sorted(e) { // as where all are equal
		return
	}
	if len(e) < few || depth >= deepest || b.short(e, depth) {
		b.compare(e)
		return
	}
	for i := range e {
		e[i].prefix = prefix(b.key(e[i].at)[depth:])
	}
	b.radix(e, b.spare[:len(e)], false)
	b.ties(e, depth)
}

// short reports whether one of the keys has fewer than depth bytes.
func (b *Buffer) short(e []entry, depth int) bool {
	for i := range e {
		if len(b.key(e[i].at)) < depth {
			return true
		}
	}
	return false
}

func (b *Buffer) sorted(e []entry) bool {
	last := b.key(e[0].at)
	for i := 1; i < len(e); i++ {
		next := b.key(e[i].at)
		if bytes.Compare(last, next) > 0 {
			return false
		}
		last = next
	}
	return true
}

// compare orders entries by comparing them.
func (b *Buffer) compare(e []entry) {
	slices.SortFunc(e, func(x, y entry) int {
		switch {
		case x.part != y.part:
			return cmp.Compare(x.part, y.part)
		case x.prefix != y.prefix:
			return cmp.Compare(x.prefix, y.prefix)
		}
		return cmp.Or(bytes.Compare(b.key(x.at), b.key(y.at)), cmp.Compare(x.at, y.at))
	})
}
