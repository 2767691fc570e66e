package dataset

import "math/bits"

// golden is the step of splitmix64.
const golden = 0x9e3779b97f4a7c15

// scatter is the function of splitmix64 that makes an even number of any.
func scatter(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// random are numbers by their index: no stream whose state would be shared.
type random uint64

// randomOf returns numbers of their own for each sequence of parts.
func randomOf(parts ...uint64) random {
	x := uint64(0)
	for _, p := range parts {
		x = scatter(x + golden + scatter(p))
	}
	return random(x)
}

// below returns number i, evenly below n.
func (r random) below(i, n int) int {
	hi, _ := bits.Mul64(scatter(uint64(r)+uint64(i+1)*golden), uint64(n))
	return int(hi)
}

// shuffle brings items into one of their orders.
func (r random) shuffle(items []uint32) {
	for i := len(items) - 1; i > 0; i-- {
		j := r.below(i, i+1)
		items[i], items[j] = items[j], items[i]
	}
}

// piece is a range of the rows of a group, as a rank reads it.
type piece struct {
	group    int
	from, to int
	last     bool   // of its pool
	pool     random // shuffles the rows of the pool it is the last of
}

// order yields the pieces of a rank, epoch after epoch: a function of the options and the set.
//
// All groups stand in a line, as they are stored or shuffled; of the rows of that line each rank takes an equal share, one
// after another.
type order struct {
	set    *Set
	o      *BatchOptions
	epoch  int
	groups []uint32 // their line in this epoch, where it is shuffled
	at     int      // the group in the line that comes next
	row    int      // the row of it that comes next
	left   int64    // rows of the rank, in this epoch
	pools  int      // of this epoch so far
	pieces int      // of this pool so far
}

// share returns how many of n rows a rank takes, and how many those before it take.
func share(n int64, rank, world int) (rows, before int64) {
	each, more := n/int64(world), n%int64(world)
	before = each*int64(rank) + min(more, int64(rank))
	if int64(rank) < more {
		each++
	}
	return each, before
}

// begin begins an epoch.
func (o *order) begin(epoch int) {
	rows, before := share(o.set.Rows(), o.o.Rank, o.o.World)
	*o = order{set: o.set, o: o.o, epoch: epoch, groups: o.groups[:0], left: o.o.rows(rows)}
	if o.o.Shuffle {
		for i := range o.set.groups {
			o.groups = append(o.groups, uint32(i))
		}
		randomOf(o.o.Seed, uint64(epoch), 0).shuffle(o.groups)
	}
	for o.left > 0 {
		n := int64(o.set.rowsOf(o.group()))
		if before < n {
			o.row = int(before)
			break
		}
		before -= n
		o.at++
	}
}

func (o *order) group() int {
	if o.o.Shuffle {
		return int(o.groups[o.at])
	}
	return o.at
}

// next returns the next piece of the epoch; there is one.
func (o *order) next() piece {
	p := piece{group: o.group(), from: o.row}
	p.to = int(min(int64(o.set.rowsOf(p.group)), int64(p.from)+o.left))
	o.left -= int64(p.to - p.from)
	o.at, o.row = o.at+1, 0
	if o.pieces++; o.pieces == o.o.Pool || o.left == 0 {
		p.last = true
		p.pool = randomOf(o.o.Seed, uint64(o.epoch), 1, uint64(o.o.Rank), uint64(o.pools))
		o.pools++
		o.pieces = 0
	}
	return p
}

// skip passes over the pools that end within the first n rows of the epoch, and returns how many rows are left of n.
func (o *order) skip(n int64) int64 {
	for n > 0 {
		before := *o
		rows := int64(0)
		for last := false; !last; {
			p := o.next()
			rows += int64(p.to - p.from)
			last = p.last
		}
		if rows > n {
			*o = before
			break
		}
		n -= rows
	}
	return n
}
