package preprocess

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"strconv"
)

// Numbers are float64 numbers that JSON holds to the bit: infinities, and NaN, are strings.
type Numbers []float64

// MarshalJSON writes an array.
func (n Numbers) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, x := range n {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(x) || math.IsInf(x, 0) {
			b = strconv.AppendQuote(b, strconv.FormatFloat(x, 'g', -1, 64))
		} else {
			b = strconv.AppendFloat(b, x, 'g', -1, 64)
		}
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
		text := string(raw)
		switch text {
		case `"NaN"`, `"+Inf"`, `"-Inf"`:
			text = text[1 : len(text)-1]
		}
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("preprocess: %.40q is no number: %w", raw, fs.ErrInvalid)
		}
		(*n)[i] = x
	}
	return nil
}
