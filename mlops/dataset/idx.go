package dataset

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"

	"github.com/gowren/gowren/storage"
)

// widestIDX is how many numbers a row of IDX may have.
const widestIDX = 1 << 24

// idxKinds are the sizes of the numbers of IDX in bytes, by the code of their type, and how one is read.
var idxKinds = map[byte]struct {
	size int
	read func(b []byte) float64
}{
	0x08: {1, func(b []byte) float64 { return float64(b[0]) }},
	0x09: {1, func(b []byte) float64 { return float64(int8(b[0])) }},
	0x0b: {2, func(b []byte) float64 { return float64(int16(binary.BigEndian.Uint16(b))) }},
	0x0c: {4, func(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) }},
	0x0d: {4, func(b []byte) float64 { return float64(math.Float32frombits(binary.BigEndian.Uint32(b))) }},
	0x0e: {8, func(b []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(b)) }},
}

// idxHead is the header of a file.
type idxHead struct {
	kind   byte
	length int64 // of the header
	rows   int64
	width  int // numbers of a row
	size   int // bytes of a number
}

// row is how many bytes a row has.
func (h idxHead) row() int64 { return int64(h.width) * int64(h.size) }

// readIDXHead reads: two zeros, the type, how many dimensions there are, and each of them.
func readIDXHead(r io.Reader) (idxHead, error) {
	var b [4]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return idxHead{}, short(err)
	}
	kind, ok := idxKinds[b[2]]
	if b[0] != 0 || b[1] != 0 || !ok || b[3] == 0 || b[3] > 8 {
		return idxHead{}, errSource("% x is no header of IDX", b)
	}
	h := idxHead{kind: b[2], width: 1, size: kind.size, length: 4 + 4*int64(b[3])}
	for i := range int(b[3]) {
		var dim [4]byte
		if _, err := io.ReadFull(r, dim[:]); err != nil {
			return idxHead{}, short(err)
		}
		n := int64(binary.BigEndian.Uint32(dim[:]))
		if i == 0 {
			h.rows = n
			continue
		}
		if n == 0 || n*int64(h.width) > widestIDX {
			return idxHead{}, errSource("rows of %d × %d numbers are none, or more than %d", h.width, n, widestIDX)
		}
		h.width *= int(n)
	}
	return h, nil
}

func short(err error) error {
	if err == io.EOF { // of storage's errors none is
		return io.ErrUnexpectedEOF
	}
	return err
}

// idxFile is a file that is being read, from some row on.
type idxFile struct {
	idxHead
	split  storage.Split
	r      *chunkReader
	buf    []byte
	values func(b []byte) float64
}

// openIDX opens a file, and reads its header.
func openIDX(ctx context.Context, s storage.Split) (*idxFile, error) {
	f := &idxFile{split: s}
	head := s
	if s.Compression == "" {
		head.Off, head.Len = 0, min(s.Size, 4+4*8)
	}
	f.r = readChunks(ctx, head)
	h, err := readIDXHead(f.r)
	if err != nil {
		f.r.close()
		return nil, f.fail(err)
	}
	f.idxHead, f.buf, f.values = h, make([]byte, h.row()), idxKinds[h.kind].read
	if s.Compression == "" && s.Size != h.length+h.rows*h.row() {
		f.r.close()
		return nil, f.fail(errSource("%d bytes, where %d rows of %d bytes have %d with their header", s.Size, h.rows, h.row(), h.length+h.rows*h.row()))
	}
	return f, nil
}

// seek goes to a row, of which there are n from there on.
func (f *idxFile) seek(ctx context.Context, row, n int64) error {
	if f.split.Compression != "" {
		_, err := io.CopyN(io.Discard, f.r, row*f.row())
		return f.fail(err)
	}
	f.r.close()
	s := f.split
	s.Off, s.Len = f.length+row*f.row(), n*f.row()
	f.r = readChunks(ctx, s)
	return nil
}

func (f *idxFile) next() ([]byte, error) {
	_, err := io.ReadFull(f.r, f.buf)
	return f.buf, f.fail(err)
}

// fail names the object, unless storage has.
func (f *idxFile) fail(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("dataset: read %q in %s: %w", f.split.Key, f.split.URL, short(err))
}

// idxParts pairs the URLs.
func (s Source) idxParts(ctx context.Context) ([]Part, error) {
	if len(s.URLs) == 0 || len(s.URLs)%2 != 0 {
		return nil, errSource("%d URLs: those of IDX come in pairs, images and their labels", len(s.URLs))
	}
	var parts []Part
	for i := 0; i < len(s.URLs); i += 2 {
		images, err := storage.Splits(ctx, s.URLs[i], s.Split)
		if err != nil {
			return nil, err
		}
		labels, err := storage.Splits(ctx, s.URLs[i+1], math.MaxInt64)
		if err != nil {
			return nil, err
		}
		for _, image := range images {
			if image.Key != images[0].Key {
				return nil, errSource("%q is more than one object: IDX comes in pairs of one", s.URLs[i])
			}
		}
		if len(labels) != 1 || len(images) == 0 {
			return nil, errSource("%q and %q are not two objects that hold something", s.URLs[i], s.URLs[i+1])
		}
		for _, image := range images {
			parts = append(parts, Part{Split: image, Object: i / 2, Labels: labels[0]})
		}
	}
	return parts, nil
}

// pair opens the two files of a part. The caller closes both.
func (p Part) pair(ctx context.Context) (images, labels *idxFile, err error) {
	if images, err = openIDX(ctx, p.Split); err != nil {
		return nil, nil, err
	}
	if labels, err = openIDX(ctx, p.Labels); err != nil {
		images.r.close()
		return nil, nil, err
	}
	if labels.width != 1 || labels.rows != images.rows {
		images.r.close()
		labels.r.close()
		return nil, nil, labels.fail(errSource("%d rows of %d labels, for %d images", labels.rows, labels.width, images.rows))
	}
	return images, labels, nil
}

// idxSchema is the schema of all parts.
func idxSchema(ctx context.Context, parts []Part) (Schema, error) {
	images, labels, err := parts[0].pair(ctx)
	if err != nil {
		return Schema{}, err
	}
	images.r.close()
	labels.r.close()
	return Schema{Columns: []Column{{Name: "label", Kind: Number, Role: Label}, {Name: "pixels", Kind: Vector, Width: images.width}}}, nil
}

func (r *Reader) idx(ctx context.Context, b *builder, yield func(*Block) bool) error {
	pixels, label := -1, -1
	for i, c := range b.schema.Columns {
		switch {
		case c.Kind == Vector && pixels < 0:
			pixels = i
		case c.Kind == Number && label < 0:
			label = i
		default:
			return errSource("column %q: IDX has a vector, the pixels, and a number, the label", c.Name)
		}
	}
	images, labels, err := r.part.pair(ctx)
	if err != nil {
		return err
	}
	defer func() {
		images.r.close()
		labels.r.close()
	}()
	if pixels >= 0 && b.schema.Columns[pixels].Width != images.width {
		return images.fail(errSource("images of %d pixels, where column %q has %d", images.width, b.schema.Columns[pixels].Name, b.schema.Columns[pixels].Width))
	}
	from, to := int64(0), images.rows
	if s := r.part.Split; s.Compression == "" { // the rows that begin in the split
		from, to = images.at(s.Off), images.at(s.Off+s.Len)
	}
	if from >= to && images.rows > 0 {
		return nil
	}
	if err := images.seek(ctx, from, to-from); err != nil {
		return err
	}
	if err := labels.seek(ctx, from, to-from); err != nil {
		return err
	}
	for row := from; row < to; row++ {
		image, err := images.next()
		if err != nil {
			return err
		}
		class, err := labels.next()
		if err != nil {
			return err
		}
		if bad := r.image(b, pixels, label, images, image, labels.values(class)); bad != nil {
			if err := r.bad(b, bad, images.errorf(row)); err != nil {
				return err
			}
			continue
		}
		if b.end(row) && !yield(b.take()) {
			return errStop
		}
	}
	if to < images.rows {
		return nil
	}
	return errors.Join(images.end(), labels.end())
}

// end returns an error where more follows the rows of a compressed file, which only its end tells; its reading tells, too, whether
// it is damaged.
func (f *idxFile) end() error {
	if f.split.Compression == "" {
		return nil
	}
	n, err := io.CopyN(io.Discard, f.r, 1)
	switch {
	case n > 0:
		return f.fail(errSource("more follows its %d rows of %d bytes", f.rows, f.row()))
	case err == io.EOF:
		return nil
	}
	return f.fail(err)
}

// image puts a row in its place.
func (r *Reader) image(b *builder, pixels, label int, f *idxFile, image []byte, class float64) (bad *RowError) {
	if label >= 0 {
		name := b.schema.Columns[label].Name
		if class, bad = r.source.Format.infinite(class, name, []byte("the label")); bad != nil {
			return bad
		}
		b.columns[label].Numbers[b.rows] = class
	}
	if pixels < 0 {
		return nil
	}
	v := &b.columns[pixels].Vectors
	if f.size == 1 {
		for _, x := range image {
			if f.kind == 0x09 {
				v.Val = append(v.Val, float32(int8(x)))
			} else {
				v.Val = append(v.Val, float32(x))
			}
		}
		return nil
	}
	for i := 0; i < len(image); i += f.size {
		x := f.values(image[i:])
		if v.Val, bad = r.source.Format.float32(v.Val, x, b.schema.Columns[pixels].Name, fmt.Append(nil, x)); bad != nil {
			return bad
		}
	}
	return nil
}

// errorf tells what is wrong with a row.
func (f *idxFile) errorf(row int64) func(string, ...any) error {
	return func(format string, args ...any) error {
		return f.fail(fmt.Errorf("row %d: %w", row+1, fmt.Errorf(format, args...)))
	}
}

// at returns the first row that begins at an offset or later.
func (h idxHead) at(off int64) int64 {
	return min(max(off-h.length+h.row()-1, 0)/h.row(), h.rows)
}

// chunkReader reads what storage.Chunks yields.
type chunkReader struct {
	next  func() ([]byte, error, bool)
	close func()
	rest  []byte
}

func readChunks(ctx context.Context, s storage.Split) *chunkReader {
	next, stop := iter.Pull2(storage.Chunks(ctx, s))
	return &chunkReader{next: next, close: stop}
}

func (c *chunkReader) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		data, err, ok := c.next()
		if !ok {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		c.rest = data
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}
