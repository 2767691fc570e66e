package preprocess

import (
	"fmt"
	"io/fs"

	"github.com/gowren/gowren/mlops/dataset"
)

// indicated is after the name of a column in that of its indicator.
const indicated = "_missing"

// Imputed is what [Impute] becomes.
type Imputed struct {
	Columns   []string
	Strings   []bool // the column is of strings
	Values    Numbers
	Texts     [][]byte
	Indicator bool
}

// Out adds the indicators.
func (t Imputed) Out(in dataset.Schema) (dataset.Schema, error) {
	if !t.whole() {
		return in, errOther
	}
	var more []dataset.Column
	for i, name := range t.Columns {
		at := in.Index(name)
		if at < 0 {
			return in, errColumn("impute", in, name)
		}
		if c := in.Columns[at]; c.Kind == dataset.Vector || (c.Kind == dataset.String) != t.Strings[i] {
			return in, errKind("impute", c, dataset.Number, dataset.String)
		}
		if t.Indicator {
			if in.Index(name+indicated) >= 0 {
				return in, fmt.Errorf("impute: there is a column %q already: %w", name+indicated, fs.ErrExist)
			}
			more = append(more, dataset.Column{Name: name + indicated, Kind: dataset.Number})
		}
	}
	return with(in, more...), nil
}

func (t Imputed) whole() bool {
	n := len(t.Columns)
	return len(t.Strings) == n && len(t.Values) == n && len(t.Texts) == n
}

// Apply fills in what is missing in a block.
func (t Imputed) Apply(in dataset.Schema, b *dataset.Block) error {
	next := 0
	for i, name := range t.Columns {
		if next = in.Next(name, next); next < 0 {
			return errColumn("impute", in, name)
		}
		var flags []float64
		if t.Indicator {
			flags = make([]float64, b.Rows)
		}
		if t.Strings[i] {
			t.strings(&b.Columns[next].Strings, i, flags)
		} else {
			values := b.Columns[next].Numbers
			for row, x := range values {
				if x != x {
					values[row] = t.Values[i]
					if flags != nil {
						flags[row] = 1
					}
				}
			}
		}
		if t.Indicator {
			b.Columns = append(b.Columns, dataset.Data{Numbers: flags})
		}
	}
	return nil
}

// strings fills in a column of strings, in a new buffer where any is missing.
func (t Imputed) strings(s *dataset.Strings, column int, flags []float64) {
	if s.Missing == nil {
		return
	}
	var filled dataset.Strings
	for row := range s.Ends {
		if !s.Missing[row] {
			filled.Add(s.At(row))
			continue
		}
		filled.Add(t.Texts[column])
		if flags != nil {
			flags[row] = 1
		}
	}
	*s = filled
}
