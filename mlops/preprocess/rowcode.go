package preprocess

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"math"

	"github.com/gowren/gowren/mlops/dataset"
)

// rowCode is how rows of a set are written one after another: words of four bytes, the lowest byte first. Of a sparse row
// how many values it has; the label and the weight, where there are any; the places of a sparse row; the values.
type rowCode struct {
	Width                   int
	Sparse, Labels, Weights bool
}

func rowCodeOf(m *dataset.Manifest) rowCode { return rowCode{m.Width, m.Sparse, m.Labels, m.Weights} }

func addFloat(dst []byte, x float32) []byte {
	return binary.LittleEndian.AppendUint32(dst, math.Float32bits(x))
}

// append adds a row of a batch to dst.
func (c rowCode) append(dst []byte, b *dataset.Batch, row int) []byte {
	var places []uint32
	var values []float32
	if c.Sparse {
		places, values = b.Row(row)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(values)))
	} else {
		values = b.Dense(row)
	}
	if c.Labels {
		dst = addFloat(dst, b.Labels[row])
	}
	if c.Weights {
		dst = addFloat(dst, b.Weights[row])
	}
	for _, p := range places {
		dst = binary.LittleEndian.AppendUint32(dst, p)
	}
	for _, x := range values {
		dst = addFloat(dst, x)
	}
	return dst
}

// rowReader reads rows.
type rowReader struct {
	rowCode
	from io.Reader
	raw  []byte
}

// words reads n of them. io.EOF is the end of the rows, before the first.
func (r *rowReader) words(n int) ([]byte, error) {
	if cap(r.raw) < 4*n {
		r.raw = make([]byte, 4*n)
	}
	_, err := io.ReadFull(r.from, r.raw[:4*n])
	return r.raw[:4*n], err
}

// add adds the next row to a batch. io.EOF is the end.
func (r *rowReader) add(b *dataset.Batch) error {
	head := 0
	for _, has := range []bool{r.Sparse, r.Labels, r.Weights} {
		if has {
			head++
		}
	}
	values, body := r.Width, r.Width
	raw, err := r.words(head)
	if err != nil {
		return err
	}
	if head == 0 && body == 0 {
		return fmt.Errorf("rows without anything: %w", fs.ErrInvalid)
	}
	if r.Sparse {
		n := binary.LittleEndian.Uint32(raw)
		if uint64(n) > uint64(r.Width) {
			return fmt.Errorf("a row of %d values, and the width is %d: %w", n, r.Width, fs.ErrInvalid)
		}
		values, body, raw = int(n), 2*int(n), raw[4:]
	}
	if r.Labels {
		b.Labels, raw = append(b.Labels, floatAt(raw)), raw[4:]
	}
	if r.Weights {
		b.Weights = append(b.Weights, floatAt(raw))
	}
	if raw, err = r.words(body); err != nil {
		if err == io.EOF && head > 0 {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	for ; body > values; body-- {
		b.Idx, raw = append(b.Idx, binary.LittleEndian.Uint32(raw)), raw[4:]
	}
	for range values {
		b.Values, raw = append(b.Values, floatAt(raw)), raw[4:]
	}
	if r.Sparse {
		b.Ptr = append(b.Ptr, len(b.Values))
	}
	b.Rows++
	return nil
}

func floatAt(raw []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(raw)) }
