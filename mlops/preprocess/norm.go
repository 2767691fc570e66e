package preprocess

import (
	"fmt"
	"io/fs"
	"math"
)

// Norm is how long the vectors of rows are made.
type Norm string

// The norms. The empty one is L2.
const (
	L2       Norm = "l2"   // the sum of the squares is 1
	L1       Norm = "l1"   // the sum of the absolute values is 1
	Unnormed Norm = "none" // as they are
)

func (n Norm) check(step string) error {
	if n != "" && n != L2 && n != L1 && n != Unnormed {
		return fmt.Errorf("%s: %q is no norm: l2, l1, none: %w", step, n, fs.ErrInvalid)
	}
	return nil
}

// of is what values are divided by. It is 1 where all are zero.
func (n Norm) of(values []float64) float64 {
	total := 0.0
	switch n {
	case Unnormed:
		return 1
	case L1:
		for _, x := range values {
			total += math.Abs(x)
		}
	default:
		for _, x := range values {
			total += x * x
		}
		total = math.Sqrt(total)
	}
	if total == 0 {
		return 1
	}
	return total
}
