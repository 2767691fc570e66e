package dataset

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"iter"
	"math"
)

// BatchOptions are for [Set.Batches]. The zero value is all rows once, in the order in which they are stored, a thousand at
// a time.
type BatchOptions struct {
	// Size is how many rows a batch has; the last one of an epoch has those that remain. Defaults to 1,000.
	Size int
	// Drop leaves out a last batch that is shorter.
	Drop bool

	// Epochs is how often all rows come. Defaults to 1; below zero there is no end.
	Epochs int
	// From is how many batches are passed over, to go on after a crash: those of an epoch are [Set.Steps], so that epoch e
	// begins at e times that. Their rows are not read, but for some of the first pool.
	From int64

	// Shuffle shuffles anew in each epoch: the row groups of the set, and then the rows of each Pool groups that have come to
	// follow one another. Defaults to 8 groups, or what fits in 64 MiB. Rows are closer to where they were than in a shuffle
	// of all rows: for a set that is sorted, say by its labels, shuffle its rows when it is written, or choose a large Pool.
	Shuffle bool
	Pool    int
	Seed    uint64

	// Rank and World give each of World readers its share: together they read each row once an epoch. Of n rows, a rank has
	// n/World, and the first n%World ranks one more, so that ranks have the same number of batches, or one more. Where there
	// are fewer rows than ranks, some have none. World defaults to 1.
	Rank, World int

	// Ahead is how many row groups are read ahead, and at once. Defaults to 8, or what fits in 64 MiB. Memory is that of
	// Pool and Ahead groups, and that of a batch.
	Ahead int
}

// check returns an error that tells of the first option that is wrong.
func (o *BatchOptions) check() error {
	last := int64(max(o.World, 1)) - 1
	ranks := fmt.Sprintf("0 to %d, as World is %d", last, o.World)
	if last == 0 {
		ranks = "0 alone, as there is one rank: World says how many"
	}
	for _, c := range []struct {
		name    string
		n, most int64
		may     string
	}{
		{"Size", int64(o.Size), math.MaxInt64, "1 and more, or 0 for 1,000"},
		{"From", o.From, math.MaxInt64, "0 and more"},
		{"Pool", int64(o.Pool), maxRows, fmt.Sprintf("1 to %d, or 0 for the default", maxRows)},
		{"Ahead", int64(o.Ahead), math.MaxInt64, "1 and more, or 0 for the default"},
		{"World", int64(o.World), math.MaxInt64, "1 and more, or 0 for 1"},
		{"Rank", int64(o.Rank), last, ranks},
	} {
		if c.n < 0 || c.n > c.most {
			return fmt.Errorf("dataset: batches: the option %s is %d, and may be %s: %w", c.name, c.n, c.may, fs.ErrInvalid)
		}
	}
	return nil
}

// fill returns the options with their defaults for a set.
func (s *Set) fill(o BatchOptions) (*BatchOptions, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	fits := max(1, min(8, int(64<<20/s.groupSize())))
	o.Size = cmp.Or(o.Size, 1000)
	o.Epochs = cmp.Or(o.Epochs, 1)
	o.World = cmp.Or(o.World, 1)
	o.Ahead = cmp.Or(o.Ahead, fits)
	o.Pool = cmp.Or(o.Pool, fits)
	if !o.Shuffle {
		o.Pool = 1
	}
	o.Ahead, o.Pool = min(o.Ahead, max(1, s.groups)), min(o.Pool, max(1, s.groups)) // an epoch has no more
	return &o, nil
}

// groupSize is about how many bytes a group takes in memory.
func (s *Set) groupSize() int64 {
	m := s.manifest
	size := 12*m.Rows + 8*m.NonZeros
	if !m.Sparse {
		size += 4 * m.Rows * int64(m.Width)
	}
	return max(1, size/int64(max(1, s.groups)))
}

// rows returns how many rows of its share a rank reads.
func (o *BatchOptions) rows(share int64) int64 {
	if o.Drop {
		share -= share % int64(o.Size)
	}
	return share
}

// Steps returns how many batches an epoch has, of the rank that the options name.
func (s *Set) Steps(o BatchOptions) (int64, error) {
	filled, err := s.fill(o)
	if err != nil {
		return 0, err
	}
	rows, _ := share(s.Rows(), filled.Rank, filled.World)
	return (filled.rows(rows) + int64(filled.Size) - 1) / int64(filled.Size), nil
}

// Batches yields the rows of the set as batches, of which each is valid until the next. Row groups are fetched, checked and
// decompressed in the background. The order is a function of the options alone, whatever the store: the same options yield
// the same batches. An epoch's end ends a batch.
//
// Errors name the shard, and end the iteration, as the end of ctx does. A rank without rows yields nothing.
func (s *Set) Batches(ctx context.Context, o BatchOptions) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		filled, err := s.fill(o)
		if err != nil {
			yield(nil, err)
			return
		}
		r := s.read(ctx, filled)
		defer r.close()
		for r.more() {
			b, err := r.next()
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}
