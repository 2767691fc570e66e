package preprocess

import (
	"fmt"
	"io/fs"
	"math"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

// choose returns the columns that a step is for: those that are named, each of one of the kinds, or else all features of
// the kinds.
func choose(step string, in dataset.Schema, names []string, kinds ...dataset.Kind) ([]dataset.Column, error) {
	var chosen []dataset.Column
	if len(names) == 0 {
		for _, c := range in.Columns {
			if c.Role == dataset.Feature && slices.Contains(kinds, c.Kind) {
				chosen = append(chosen, c)
			}
		}
		return chosen, nil
	}
	for i, name := range names {
		at := in.Index(name)
		switch {
		case at < 0:
			return nil, errColumn(step, in, name)
		case slices.Contains(names[:i], name):
			return nil, fmt.Errorf("%s: column %q is named twice: %w", step, name, fs.ErrInvalid)
		case !slices.Contains(kinds, in.Columns[at].Kind):
			return nil, errKind(step, in.Columns[at], kinds...)
		}
		chosen = append(chosen, in.Columns[at])
	}
	return chosen, nil
}

// theOne returns the position of the column that a step is for, which names it in its field Column.
func theOne(step string, in dataset.Schema, name string) (int, error) {
	if name == "" {
		return -1, fmt.Errorf("%s: Column is empty: it names the column that the step is for: %w", step, fs.ErrInvalid)
	}
	at, err := in.Find(name)
	if err != nil {
		return -1, fmt.Errorf("%s: %w", step, err)
	}
	return at, nil
}

// namesOf returns the names of columns.
func namesOf(columns []dataset.Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

// kept is the schema of a transform that changes values of columns, and nothing else.
func kept(in dataset.Schema, columns []string) (dataset.Schema, error) {
	for _, name := range columns {
		if in.Index(name) < 0 {
			return in, errColumn("apply", in, name)
		}
	}
	return in, nil
}

// with returns a schema with more columns at its end.
func with(in dataset.Schema, more ...dataset.Column) dataset.Schema {
	return dataset.Schema{Columns: append(slices.Clip(slices.Clone(in.Columns)), more...)}
}

// grown returns a slice of at least n values, those that are new being x.
func grown[T any](s []T, n int, x T) []T {
	for len(s) < n {
		s = append(s, x)
	}
	return s
}

// lowest and highest are what an extent begins with.
var lowest, highest = math.Inf(-1), math.Inf(1)
