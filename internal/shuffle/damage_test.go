package shuffle

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
)

// outcome reads a segment whose object holds the data.
func outcome(t *testing.T, data []byte, size int64) (string, error) {
	t.Helper()
	b, open := bucket(t)
	if err := b.Put(t.Context(), "f/object", bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return readAll(t, Segment{Name: "object", Size: size}, open)
}

func readAll(t *testing.T, s Segment, open func(context.Context) (storage.Bucket, error)) (string, error) {
	t.Helper()
	m, err := NewMerge(t.Context(), &Task{Segments: []Segment{s}}, open, "f", "n")
	if err != nil {
		return "", err
	}
	defer m.Close()
	var got []string
	for m.Next() {
		got = append(got, fmt.Sprintf("%q %q", m.Key(), m.Value()))
	}
	return strings.Join(got, "\n"), m.Err()
}

// TestDamage: whichever bit of a segment is changed, and wherever it is cut, reading it is an error that names the object.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, compress := range []bool{false, true} {
		data, run := written(t, 1, compress)
		size := run.Parts[0]
		if _, err := outcome(t, data, size); err != nil || size != int64(len(data)) {
			t.Fatalf("%d bytes of %d as they were written: %v", size, len(data), err)
		}
		for i := range data {
			for _, changed := range [][]byte{data[:i], flip(data, i, 1), flip(data, i, 0x80), flip(data, i, 0xff)} {
				got, err := outcome(t, changed, size)
				if err == nil {
					t.Fatalf("compressed %v, changed at byte %d of %d, %d are left: %.200q", compress, i, size, len(changed), got)
				}
				if !strings.Contains(err.Error(), `"object"`) {
					t.Fatalf("%v does not name the object", err)
				}
			}
		}
	}
}

func flip(data []byte, at int, bits byte) []byte {
	data = slices.Clone(data)
	data[at] ^= bits
	return data
}

// TestDamagePlace: a segment that begins or ends elsewhere than a block is an error.
func TestDamagePlace(t *testing.T) {
	t.Parallel()
	data, run := written(t, 3, false)
	b, open := bucket(t)
	if err := b.Put(t.Context(), "f/object", bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	begins := []int64{0, run.Parts[0], run.Parts[0] + run.Parts[1], int64(len(data))}
	for off := range int64(len(data)) {
		for _, end := range begins {
			if end <= off {
				continue
			}
			if _, err := readAll(t, Segment{Name: "object", Off: off, Size: end - off}, open); (err == nil) != slices.Contains(begins, off) {
				t.Fatalf("from %d to %d: %v", off, end, err)
			}
		}
	}
	if _, err := readAll(t, Segment{Name: "object", Size: int64(len(data)) + 1}, open); err == nil {
		t.Error("a segment that ends behind its object is read")
	}
}
