package dataset

import (
	"bytes"
	"context"
	"math"

	"github.com/gowren/gowren/internal/decimal"
)

// LibSVMSchema is the schema of libsvm files: a label, and features of a width, which indices must not go beyond. Who wants the
// query of a row (qid) adds a number column "qid".
func LibSVMSchema(width int) Schema {
	return Schema{Columns: []Column{{Name: "label", Kind: Number, Role: Label}, {Name: "features", Kind: Vector, Width: width}}}
}

// svmRows parses rows of libsvm into a builder. Columns are -1 where there are none.
type svmRows struct {
	b                    *builder
	f                    Format
	miss                 missing
	label, qid, features int
}

// svmColumns finds what the columns are for: the vector is the features, the number that is the label is, and "qid" is.
func svmColumns(f Format, b *builder) (*svmRows, error) {
	p := &svmRows{b: b, f: f, miss: f.missing(), label: -1, qid: -1, features: -1}
	for i, c := range b.schema.Columns {
		switch {
		case c.Kind == Vector && p.features < 0 && c.Width > 0:
			p.features = i
		case c.Kind == Number && c.Role == Label:
			p.label = i
		case c.Kind == Number && c.Name == "qid":
			p.qid = i
		default:
			return nil, errSource("column %q: libsvm has a number that is the label, a vector of a known width, and a number \"qid\"", c.Name)
		}
	}
	return p, nil
}

func (r *Reader) libsvm(ctx context.Context, b *builder, yield func(*Block) bool) error {
	p, err := svmColumns(r.source.Format, b)
	if err != nil {
		return err
	}
	var to *Vectors
	width := math.MaxUint32
	if p.features >= 0 {
		b.sparse(p.features)
		to, width = &b.columns[p.features].Vectors, b.schema.Columns[p.features].Width
	}
	return r.lines(ctx, b, noHeader, func(line []byte) *RowError {
		return p.row(line, func(i uint32, x float32) *RowError {
			if int(i) >= width {
				return rowError(BadWidth, b.schema.Columns[p.features].Name, "index %d is beyond the width of %d", p.written(i), width)
			}
			if to != nil && x != 0 {
				to.Idx, to.Val = append(to.Idx, i), append(to.Val, x)
			}
			return nil
		})
	}, yield)
}

// written is an index as it stands in the file.
func (p *svmRows) written(i uint32) int64 {
	if p.f.ZeroBased {
		return int64(i)
	}
	return int64(i) + 1
}

// row parses a line, and calls add with each feature.
func (p *svmRows) row(line []byte, add func(i uint32, x float32) *RowError) *RowError {
	if i := bytes.IndexByte(line, '#'); i >= 0 {
		line = line[:i]
	}
	word, rest := nextWord(line)
	if len(word) == 0 { // a comment
		return rowComment
	}
	label, bad := p.f.number(&p.miss, "label", word)
	if bad != nil {
		return bad
	}
	p.put(p.label, label)
	p.put(p.qid, math.NaN())
	word, rest = nextWord(rest)
	if q, ok := bytes.CutPrefix(word, []byte("qid:")); ok {
		if len(q) == 0 {
			return rowError(BadSyntax, "", "\"qid:\" without a number")
		}
		x, bad := p.f.number(&p.miss, "qid", q)
		if bad != nil {
			return bad
		}
		p.put(p.qid, x)
		word, rest = nextWord(rest)
	}
	var val [1]float32
	for next := uint64(0); len(word) > 0; word, rest = nextWord(rest) {
		i, n := index(word)
		if n == 0 || n == len(word) || word[n] != ':' {
			return rowError(BadSyntax, "", "%.60q is not index:value", word)
		}
		if !p.f.ZeroBased {
			if i == 0 {
				return rowError(BadSyntax, "", "index 0, where the first is 1: set the format's ZeroBased where it is 0")
			}
			i--
		}
		if i < next {
			return rowError(BadSyntax, "", "%.60q: indices must rise", word)
		}
		x, ok := decimal.Parse(word[n+1:])
		if !ok {
			if x, ok = spelled(word[n+1:]); !ok {
				return rowError(BadNumber, "", "%.60q: the value is no number", word)
			}
		}
		if _, bad := p.f.float32(val[:0], x, "", word); bad != nil {
			return bad
		}
		if bad := add(uint32(i), val[0]); bad != nil {
			return bad
		}
		next = i + 1
	}
	return nil
}

func (p *svmRows) put(column int, x float64) {
	if column >= 0 {
		p.b.columns[column].Numbers[p.b.rows] = x
	}
}

// rowComment is no row at all.
var rowComment = &RowError{Reason: "comment"}

// nextWord parts a line at blanks.
func nextWord(b []byte) (word, rest []byte) {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for i, c := range b {
		if c == ' ' || c == '\t' {
			return b[:i], b[i:]
		}
	}
	return b, nil
}

// index reads the digits that a word begins with. There are none where it does not fit into 32 bits.
func index(word []byte) (i uint64, n int) {
	for n < len(word) && word[n]-'0' < 10 {
		if i = i*10 + uint64(word[n]-'0'); i > math.MaxUint32-1 {
			return 0, 0
		}
		n++
	}
	return i, n
}

// inferLibSVM reads all.
func (s Source) inferLibSVM(ctx context.Context, parts []Part) (Schema, error) {
	width := uint32(1)
	found := LibSVMSchema(-1)
	withQID := false
	for _, part := range parts {
		s.Schema = Schema{Columns: []Column{{Name: "qid", Kind: Number}}}
		r := s.Read(part)
		b := newBuilder(s.Schema, part.Object)
		p, err := svmColumns(s.Format, b)
		if err != nil {
			return Schema{}, err
		}
		err = r.lines(ctx, b, noHeader, func(line []byte) *RowError {
			last := uint32(0) // bad rows do not count
			bad := p.row(line, func(i uint32, _ float32) *RowError {
				last = i + 1
				return nil
			})
			if bad == nil {
				width = max(width, last)
				withQID = withQID || !math.IsNaN(b.columns[0].Numbers[b.rows])
			}
			return bad
		}, func(*Block) bool { return true })
		if err != nil {
			return Schema{}, err
		}
	}
	found.Columns[1].Width = int(width)
	if withQID {
		found.Columns = append(found.Columns, Column{Name: "qid", Kind: Number, Role: Ignored})
	}
	return found, nil
}
