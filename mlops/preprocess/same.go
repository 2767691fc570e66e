package preprocess

import (
	"fmt"
	"io/fs"
)

// errOther is for states that are not of one step.
var errOther = fmt.Errorf("preprocess: what was learned is of different steps: %w", fs.ErrInvalid)

// same returns another fitter as one of f's type.
func same[T Fitter](_ T, other Fitter) (T, error) {
	o, ok := other.(T)
	if !ok {
		return o, errOther
	}
	return o, nil
}

// whole is a fitter that can tell whether what was decoded of it fits together.
type whole interface{ whole() bool }
