package storage_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
)

type seq = iter.Seq2[[]byte, error]

func wantRecords(data []byte, size int) []string {
	var records []string
	for len(data) >= size {
		records = append(records, string(data[:size]))
		data = data[size:]
	}
	return records
}

func TestRecords(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 3))
	for _, size := range []int{1, 2, 3, 7, 8, 64, 100} {
		for range 8 {
			data := make([]byte, size*random.IntN(30))
			for i := range data {
				data[i] = byte('a' + random.IntN(26))
			}
			same(t, data, wantRecords(data, size), sizes(data, random), readRecords(t, size))
		}
	}
}

// TestLongRecords are longer than a buffer.
func TestLongRecords(t *testing.T) {
	t.Parallel()
	const size = 700_001
	data := bytes.Repeat([]byte("0123456789abcdefg"), size*4/17+1)[:size*4]
	b := put(t, data)
	for _, split := range []int64{size / 3, size, 1 << 20, 1 << 30} {
		got, err := collect(splitsOf(t, b, split), func(s storage.Split) seq { return storage.Records(t.Context(), s, size) })
		if err != nil || len(got) != 4 || strings.Join(got, "") != string(data) {
			t.Errorf("splits of %d: %d records, %v", split, len(got), err)
		}
	}
}

// TestIncompleteRecord is an error of every split, that tells where.
func TestIncompleteRecord(t *testing.T) {
	t.Parallel()
	text := []byte("0123456789")
	b := put(t, text)
	for _, s := range splitsOf(t, b, 4) {
		got, err := collect([]storage.Split{s}, func(s storage.Split) seq { return storage.Records(t.Context(), s, 4) })
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), `"k"`) || !strings.Contains(err.Error(), "from 8 on") || got != nil {
			t.Errorf("10 bytes in records of 4: %q, %v", got, err)
		}
	}
	for name, data := range packed(t, text) {
		got, err := collect(splitsOf(t, put(t, data), 0), func(s storage.Split) seq { return storage.Records(t.Context(), s, 4) })
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "from 8 on") || len(got) != 2 {
			t.Errorf("10 bytes in records of 4, in %s: %q, %v", name, got, err)
		}
	}
	for _, size := range []int{0, -1} {
		got, err := collect(splitsOf(t, b, 0), func(s storage.Split) seq { return storage.Records(t.Context(), s, size) })
		if !errors.Is(err, fs.ErrInvalid) || got != nil {
			t.Errorf("records of %d bytes: %q, %v", size, got, err)
		}
	}
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte("0123456789ab"), uint8(2), uint8(3), uint8(4))
	f.Add([]byte("abcd"), uint8(3), uint8(0), uint8(0))
	f.Add([]byte(""), uint8(3), uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, record, size, buffer uint8) {
		n := int(record) + 1
		if len(data) > longest {
			return
		}
		data = data[:len(data)-len(data)%n]
		same(t, data, wantRecords(data, n), few(size, buffer), readRecords(t, n))
	})
}
