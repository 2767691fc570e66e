package preprocess

import (
	"fmt"
	"io/fs"

	"github.com/gowren/gowren/mlops/dataset"
)

// chooseSome is choose, where no column is an error.
func chooseSome(step string, in dataset.Schema, names []string, kinds ...dataset.Kind) ([]dataset.Column, error) {
	chosen, err := choose(step, in, names, kinds...)
	if err == nil && len(chosen) == 0 {
		err = fmt.Errorf("%s: no feature is a %v: %w", step, kinds, fs.ErrInvalid)
	}
	return chosen, err
}
