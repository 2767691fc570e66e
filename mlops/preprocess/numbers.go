package preprocess

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"strconv"
)

// Float is a number that JSON holds to the bit: infinities, and NaN, are strings.
type Float float64

// MarshalJSON writes a number, or a string.
func (x Float) MarshalJSON() ([]byte, error) { return appendFloat(nil, float64(x)), nil }

// UnmarshalJSON reads what MarshalJSON wrote.
func (x *Float) UnmarshalJSON(data []byte) error {
	v, err := parseFloat(data)
	*x = Float(v)
	return err
}

func appendFloat(b []byte, x float64) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return strconv.AppendQuote(b, strconv.FormatFloat(x, 'g', -1, 64))
	}
	return strconv.AppendFloat(b, x, 'g', -1, 64)
}

func parseFloat(data []byte) (float64, error) {
	text := string(data)
	switch text {
	case `"NaN"`, `"+Inf"`, `"-Inf"`:
		text = text[1 : len(text)-1]
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("preprocess: %.40q is no number: %w", data, fs.ErrInvalid)
	}
	return x, nil
}

// Numbers are float64 numbers that JSON holds as [Float] does.
type Numbers []float64

// MarshalJSON writes an array.
func (n Numbers) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, x := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFloat(b, x)
	}
	return append(b, ']'), nil
}

// UnmarshalJSON reads an array that MarshalJSON wrote.
func (n *Numbers) UnmarshalJSON(data []byte) error {
	var all []json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	*n = make(Numbers, len(all))
	for i, raw := range all {
		x, err := parseFloat(raw)
		if err != nil {
			return err
		}
		(*n)[i] = x
	}
	return nil
}
