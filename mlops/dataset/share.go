package dataset

import (
	"fmt"
	"io/fs"
	"iter"
	"math"

	"github.com/cespare/xxhash/v2"
)

// Share is a number from 0 to 1, 1 excluded, that a row's ID and a seed tell: evenly spread, and other for each seed.
func Share(seed, id uint64) float64 { return float64(randomOf(seed, id)>>11) / (1 << 53) }

// Order is where a row comes when rows are shuffled: a number that its ID and a seed tell, other than for [Share].
func Order(seed, id uint64) uint64 { return uint64(randomOf(seed, id, 1)) }

// SplitRows are the rows of a dataset whose share is in a range: parts of it for training, validation and test that have no
// row in common, and are the same ones on each run and in each job.
//
//	train := dataset.SplitRows{To: 0.8}
//	test := dataset.SplitRows{From: 0.8}
type SplitRows struct {
	From, To float64 // shares from From on, below To; To defaults to 1 where From is above 0
	Seed     uint64  // other seeds, other parts
	// By, where it is set, is a column by whose value the share is told, so that rows of one value are in one part, as those of
	// a customer. Rows where it is missing go by their IDs. A part of the size p has none of n different values with a probability
	// of (1-p)ⁿ, as 0.2 has none of 5 once in three times: see [SplitRows.Empty].
	By string
}

// isSet reports whether rows are parted at all.
func (s SplitRows) isSet() bool { return s != SplitRows{} }

// end is where the part ends.
func (s SplitRows) end() float64 {
	if s.To == 0 && s.From > 0 {
		return 1
	}
	return s.To
}

// checkRange returns an error where there can be no such part.
func (s SplitRows) checkRange() error {
	if to := s.end(); !(s.From >= 0 && s.From < to && to <= 1) {
		return fmt.Errorf("dataset: a part from %g to %g: From is 0 or more, To is more than From and 1 at most: %w", s.From, to, fs.ErrInvalid)
	}
	return nil
}

// Empty returns the error for a job that was to have rows of the part, and has seen none; nil where rows are not parted.
func (s SplitRows) Empty() error {
	if !s.isSet() {
		return nil
	}
	by := "the input has none, or too few"
	if s.By != "" {
		by = fmt.Sprintf("column %q has too few different values for it, or none", s.By)
	}
	return fmt.Errorf("dataset: no row is in the part from %g to %g: %s; another Seed parts them in another way: %w", s.From, s.end(), by, fs.ErrInvalid)
}

// Check returns an error that says what is wrong.
func (s SplitRows) Check(in Schema) error {
	if err := s.checkRange(); err != nil {
		return err
	}
	if s.By == "" {
		return nil
	}
	i, err := in.Find(s.By)
	if err != nil {
		return fmt.Errorf("dataset: to part rows by: %w", err)
	}
	if in.Columns[i].Kind == Vector {
		return fmt.Errorf("dataset: rows cannot be parted by column %q, a vector: %w", s.By, fs.ErrInvalid)
	}
	return nil
}

// Blocks yields of blocks of a schema the rows of the part, in their order. The blocks that it yields are its own, and it
// uses them again; who replaces a column of one changes nothing here. It yields none without rows.
func (s SplitRows) Blocks(in Schema, blocks iter.Seq2[*Block, error]) iter.Seq2[*Block, error] {
	return func(yield func(*Block, error) bool) {
		if err := s.Check(in); err != nil {
			yield(nil, err)
			return
		}
		by, end, own, out := in.Index(s.By), s.end(), &Block{}, &Block{}
		var rows []int
		for b, err := range blocks {
			if err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			rows = rows[:0]
			for row := range b.Rows {
				if x := s.share(in, b, by, row); x >= s.From && x < end {
					rows = append(rows, row)
				}
			}
			if len(rows) == 0 {
				continue
			}
			own.Take(in, b, rows)
			*out = Block{Rows: own.Rows, Columns: append(out.Columns[:0], own.Columns...), IDs: own.IDs, from: own.from}
			if !yield(out, nil) {
				return
			}
		}
	}
}

// share is that of a row.
func (s SplitRows) share(in Schema, b *Block, by, row int) float64 {
	if by < 0 {
		return Share(s.Seed, b.IDs[row])
	}
	d := &b.Columns[by]
	if in.Columns[by].Kind == Number {
		x := d.Numbers[row] + 0 // there is one zero
		if math.IsNaN(x) {
			return Share(s.Seed, b.IDs[row])
		}
		return Share(s.Seed, math.Float64bits(x))
	}
	if d.Strings.IsMissing(row) {
		return Share(s.Seed, b.IDs[row])
	}
	return Share(s.Seed, xxhash.Sum64(d.Strings.At(row)))
}
