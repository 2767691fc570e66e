package worker

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
)

// Each implements [registry.Parts]: it holds one value at a time, however many there are.
func (s *slot) Each(ctx context.Context, list []byte, f func(value []byte) bool) error {
	for {
		part, rest, err := wire.NextPart(list)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		list = rest
		more, err := s.r.w.part(ctx, part, f)
		if err != nil {
			return &registry.ReadError{Err: fmt.Errorf("values of earlier tasks could not be read: %w", err)}
		}
		if !more {
			return nil
		}
	}
}

func (w *Worker) part(ctx context.Context, p wire.Part, f func([]byte) bool) (more bool, err error) {
	switch {
	case p.Key == "":
		for data := p.Data; len(data) > 0; {
			n, k := binary.Uvarint(data)
			if k <= 0 || n > uint64(len(data)-k) {
				return false, fmt.Errorf("a list of values is cut: %w", wire.ErrCorrupt)
			}
			if !f(data[k : k+int(n)]) {
				return false, nil
			}
			data = data[k+int(n):]
		}
		return true, nil
	case p.Single:
		value, err := w.read(ctx, p.Key, p.Offset, p.Size)
		if err != nil {
			return false, err
		}
		if wire.Checksum(value) != p.Sum {
			return false, fmt.Errorf("object %q was changed (checksum): %w", p.Key, wire.ErrCorrupt)
		}
		return f(value), nil
	default:
		return w.stream(ctx, p, f)
	}
}

func (w *Worker) stream(ctx context.Context, p wire.Part, f func([]byte) bool) (more bool, err error) {
	b, err := w.bucket(ctx)
	if err != nil {
		return false, err
	}
	r, err := b.Get(ctx, p.Key, p.Offset, p.Size)
	if err != nil {
		return false, err
	}
	defer r.Close()
	in := bufio.NewReaderSize(r, 256<<10)
	var value []byte
	for left := p.Size; left > 0; {
		n, err := binary.ReadUvarint(in)
		if err != nil {
			return false, cut(p, err)
		}
		if n > uint64(left) {
			return false, cut(p, wire.ErrCorrupt)
		}
		if left -= int64(bits.Len64(n|1)+6)/7 + int64(n); left < 0 {
			return false, cut(p, wire.ErrCorrupt)
		}
		if value, err = readValue(in, value[:0], int(n)); err != nil {
			return false, cut(p, err)
		}
		if !f(value) {
			return false, nil
		}
	}
	return true, nil
}

// readValue reads n bytes into value. It grows with what comes: a size that was only claimed allocates little.
func readValue(in io.Reader, value []byte, n int) ([]byte, error) {
	for len(value) < n {
		step := min(n-len(value), max(len(value), 64<<10))
		value = slices.Grow(value, step)
		m, err := io.ReadFull(in, value[len(value):len(value)+step])
		value = value[:len(value)+m]
		if err != nil {
			return value, err
		}
	}
	return value, nil
}

func cut(p wire.Part, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("object %q ends before its %d bytes of values: %w", p.Key, p.Size, err)
}
