package preprocess

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

// featuresOf returns the columns that a step is told to read, or else all features of the kinds. There is one at least.
func featuresOf(step string, in dataset.Schema, names []string, kinds ...dataset.Kind) ([]dataset.Column, error) {
	var chosen []dataset.Column
	for i, name := range names {
		at := in.Index(name)
		switch {
		case at < 0:
			return nil, errColumn(step, name)
		case !slices.Contains(kinds, in.Columns[at].Kind):
			return nil, errKind(step, in.Columns[at], kinds...)
		case slices.Contains(names[:i], name):
			return nil, fmt.Errorf("preprocess: %s: column %q is named twice: %w", step, name, fs.ErrInvalid)
		}
		chosen = append(chosen, in.Columns[at])
	}
	for _, c := range in.Columns {
		if len(names) == 0 && c.Role == dataset.Feature && slices.Contains(kinds, c.Kind) {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("preprocess: %s: no column is a %v: %w", step, kinds, fs.ErrInvalid)
	}
	return chosen, nil
}
