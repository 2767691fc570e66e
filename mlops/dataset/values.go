package dataset

import (
	"fmt"
	"math"
)

// Values reads single values as the readers of a format do. It is safe for concurrent use.
type Values struct {
	format Format
	miss   missing
}

// Values is for values that do not come out of objects, as in serving. Of the format, Missing and Infinite count, and its name for
// the default of the first.
func (f Format) Values() *Values { return &Values{f, f.missing()} }

// IsMissing reports whether a text is a spelling of a missing value.
func (v *Values) IsMissing(text []byte) bool { return v.miss.has(text) }

// Number reads a number as a field of CSV, blanks around it included. It is NaN where it is missing. The error is a [*RowError].
func (v *Values) Number(text []byte) (float64, error) {
	x, bad := v.format.number(&v.miss, "", text)
	if bad != nil {
		return 0, bad
	}
	return x, nil
}

// Float applies to a number what the format says of infinities.
func (v *Values) Float(x float64) (float64, error) {
	if !math.IsInf(x, 0) {
		return x, nil
	}
	x, bad := v.format.infinite(x, "", fmt.Append(nil, x))
	if bad != nil {
		return 0, bad
	}
	return x, nil
}

// Float32 makes of a number an element of a vector. It cannot be NaN, nor infinite unless the format keeps that.
func (v *Values) Float32(x float64) (float32, error) {
	var room [1]float32
	if _, bad := v.format.float32(room[:0], x, "", nil); bad != nil {
		bad.Detail = fmt.Sprintf("%g is infinite, too large, or no number, in a vector of float32", x)
		return 0, bad
	}
	return room[0], nil
}
