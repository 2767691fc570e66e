package preprocess

import (
	"context"
	"iter"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mlops/dataset"
)

// Description is what [Describe] tells of a dataset.
type Description struct {
	Rows    int64           `json:"rows"`
	Skipped dataset.Skipped `json:"skipped,omitempty"` // rows that were left out, by reason
	// Sampled is of how many rows quantiles and histograms are. Ranks of quantiles are off by at most RankError times the rows
	// that have a value, with a probability of all but one in a million for each column; where all rows are sampled it is 0.
	Sampled   int64               `json:"sampled"`
	RankError float64             `json:"rankError"`
	Columns   []ColumnDescription `json:"columns"`
}

// ColumnDescription is of one column.
type ColumnDescription struct {
	Name    string       `json:"name"`
	Kind    dataset.Kind `json:"kind"`
	Role    dataset.Role `json:"role,omitempty"`
	Width   int          `json:"width,omitempty"`
	Count   int64        `json:"count"`   // values; of vectors, all of their numbers, also zeros that are not stored
	Missing int64        `json:"missing"` // of vectors, numbers that are
	// Distinct is how many different values there are: exact up to 1,024, as 64 bits of their hashes tell, and beyond an estimate
	// with a standard error of 1.6 %, which Estimated says. Vectors have none.
	Distinct  int64 `json:"distinct,omitempty"`
	Estimated bool  `json:"estimated,omitempty"`
	// Numbers is of columns of numbers and vectors that have any.
	Numbers *NumbersDescription `json:"numbers,omitempty"`
	// Frequent are the most frequent values of strings, up to 10, with their exact counts.
	Frequent []Frequent `json:"frequent,omitempty"`
	// Bytes is the length of all strings.
	Bytes int64 `json:"bytes,omitempty"`
}

// NumbersDescription is of the numbers of a column. Min, Max, Mean and Deviation are of all of them, rounded once.
type NumbersDescription struct {
	Min       Float `json:"min"`
	Max       Float `json:"max"`
	Mean      Float `json:"mean"`
	Deviation Float `json:"deviation"` // of the values that there are: divided by their count
	// Quantiles and Histogram are of the sample; vectors have none.
	Quantiles []QuantileDescription `json:"quantiles,omitempty"`
	Histogram *Histogram            `json:"histogram,omitempty"`
}

// QuantileDescription is a value that a part of the values are below.
type QuantileDescription struct {
	At    float64 `json:"at"` // the part
	Value Float   `json:"value"`
}

// Histogram counts values in bars of equal width, of which the last has the value at its end, too.
type Histogram struct {
	Low    Float   `json:"low"`
	High   Float   `json:"high"`
	Counts []int64 `json:"counts"`
}

// Frequent is a value and how often it is there.
type Frequent struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// Describe goes over a dataset once, as a job, and tells of each column what is in it. Quantiles and histograms are of a sample
// of 16,384 rows, or fewer where those would take more than 4 MiB. A task holds up to twice that, and up to 17 KiB a column. For
// the most frequent ones, the values of string columns are counted by key, which writes them to the executor's bucket and removes
// them; how many are distinct is of hashes, as of numbers. Of columns that the source ignores no value may be seen. Where Source.Rows has none of the rows, it is the error of [dataset.SplitRows.Empty].
func Describe(ctx context.Context, ex *mapper.Executor, src dataset.Source) (*Description, error) {
	parts, err := src.Parts(ctx)
	if err != nil {
		return nil, err
	}
	return describe(src.Schema, func(ops []op) ([]op, dataset.Skipped, error) { return learn(ctx, ex, src, parts, ops) })
}

// DescribeBlocks is [Describe] of blocks, in this process. It holds all different strings in memory.
func DescribeBlocks(in dataset.Schema, blocks iter.Seq2[*dataset.Block, error]) (*Description, error) {
	return describe(in, func(ops []op) ([]op, dataset.Skipped, error) { return learnBlocks(in, blocks, ops) })
}

func describe(in dataset.Schema, learn func([]op) ([]op, dataset.Skipped, error)) (*Description, error) {
	if err := in.Check(); err != nil {
		return nil, err
	}
	ops := []op{{fitter: newDescribing(in)}}
	if f := newFrequency(in); len(f.Columns) > 0 {
		ops = append(ops, op{step: 1, fitter: f})
	}
	ops, skipped, err := learn(ops)
	if err != nil {
		return nil, err
	}
	d := ops[0].fitter.(*describing).description(in)
	d.Skipped = skipped
	if len(ops) > 1 {
		for i, c := range d.Columns {
			d.Columns[i].Frequent = ops[1].fitter.(*frequency).found[c.Name]
		}
	}
	return d, nil
}
