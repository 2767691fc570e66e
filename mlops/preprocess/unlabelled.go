package preprocess

import (
	"iter"
	"math"

	"github.com/gowren/gowren/mlops/dataset"
)

// told reports whether a column is what a model is told, and not what it is to tell, or how much a row counts.
func told(c dataset.Column) bool { return c.Role != dataset.Label && c.Role != dataset.Weight }

// made is the schema of the rows that it makes. Of rows without labels and weights, nobody looks at these.
func (f *Fitted) made(labelled bool) dataset.Schema {
	s := f.Out()
	for i := range s.Columns {
		if !labelled && !told(s.Columns[i]) {
			s.Columns[i].Role = dataset.Ignored
		}
	}
	return s
}

// source returns a source as it is to be read, or why its columns are not those that this was fitted to.
func (f *Fitted) source(src dataset.Source, labelled bool) (dataset.Source, error) {
	in := f.in()
	if labelled {
		err := src.Schema.Match(in)
		if err == nil {
			src.Schema = f.read(src)
		}
		return src, err
	}
	var want, have dataset.Schema
	for _, c := range in.Columns {
		if told(c) {
			want.Columns = append(want.Columns, c)
		}
	}
	named := src.Format.Name == dataset.CSV && !src.Format.NoHeader
	var read dataset.Schema
	for _, c := range src.Schema.Columns {
		at := in.Index(c.Name)
		if !told(c) || at >= 0 && !told(in.Columns[at]) {
			if named && c.Name != src.Rows.By {
				continue // or the header would have to have it
			}
			c.Role = dataset.Ignored
		} else if have.Columns = append(have.Columns, c); at >= 0 && c.Role == dataset.Ignored {
			c = in.Columns[at]
		}
		read.Columns = append(read.Columns, c)
	}
	read.Inferred, src.Schema = src.Schema.Inferred, read
	return src, have.Match(want)
}

// widen puts the columns of blocks of a schema without labels where this has them, and labels and weights that are missing.
func (f *Fitted) widen(from dataset.Schema, blocks iter.Seq2[*dataset.Block, error]) iter.Seq2[*dataset.Block, error] {
	return func(yield func(*dataset.Block, error) bool) {
		own, lacking := &dataset.Block{}, []float64(nil)
		for b, err := range blocks {
			if err != nil {
				yield(nil, err)
				return
			}
			columns := own.Columns[:0]
			for len(lacking) < b.Rows {
				lacking = append(lacking, math.NaN())
			}
			for _, c := range f.in().Columns {
				var d dataset.Data
				switch {
				case told(c):
					d = b.Columns[from.Index(c.Name)]
				case c.Kind == dataset.Number:
					d.Numbers = append([]float64(nil), lacking[:b.Rows]...) // which transforms change
				default:
					for range b.Rows {
						d.Strings.AddMissing()
					}
				}
				columns = append(columns, d)
			}
			*own = *b
			if own.Columns = columns; !yield(own, nil) {
				return
			}
		}
	}
}
