package storage_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
)

// wantDelimited cuts a text at the separators, from the left.
func wantDelimited(text, sep []byte) []string {
	var records []string
	for rest := text; len(rest) > 0; {
		record, after, _ := bytes.Cut(rest, sep)
		records = append(records, string(record))
		rest = after
	}
	return records
}

// TestDelimited draws texts in which the separators overlap with themselves and span the borders of splits and buffers.
func TestDelimited(t *testing.T) {
	t.Parallel()
	for seed, sep := range []string{"\n", "\r\n", "\n\n", "aa", "abab", "aabaa", "aaaaaaa", "--x--", "ä", strings.Repeat("ab", 30)} {
		t.Run(sep, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(uint64(seed), 1))
			for range 60 {
				text := draw(random, []string{sep, sep[:1], sep[len(sep)-1:], sep[:(len(sep)+1)/2], "x", "hello", "a", "b"})
				same(t, text, wantDelimited(text, []byte(sep)), sizes(text, random), readDelimited(t, []byte(sep)))
			}
		})
	}
}

// TestDelimitedLooksFarBack has separators overlap over more than one range that is looked back at.
func TestDelimitedLooksFarBack(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		strings.Repeat("a", 300_001), "x" + strings.Repeat("a", 200_001), strings.Repeat("a", 70_001) + "b" + strings.Repeat("a", 5001) + "c",
	} {
		b := put(t, []byte(text))
		for _, size := range []int64{50_000, 99_999} {
			got, err := collect(splitsOf(t, b, size), func(s storage.Split) seq { return storage.Delimited(t.Context(), s, []byte("aa")) })
			if want := wantDelimited([]byte(text), []byte("aa")); err != nil || strings.Join(got, ",") != strings.Join(want, ",") {
				t.Errorf("splits of %d: %d records, %v, want %d", size, len(got), err, len(want))
			}
		}
	}
}

func TestDelimitedEmptySeparator(t *testing.T) {
	t.Parallel()
	b := put(t, []byte("text"))
	for _, sep := range [][]byte{nil, {}} {
		got, err := collect(splitsOf(t, b, 0), func(s storage.Split) seq { return storage.Delimited(t.Context(), s, sep) })
		if !errors.Is(err, fs.ErrInvalid) || got != nil {
			t.Errorf("an empty separator: %q, %v", got, err)
		}
	}
}

func FuzzDelimited(f *testing.F) {
	f.Add([]byte("aaaa|aa"), []byte("aa"), uint8(1), uint8(0))
	f.Add([]byte("one\n\n\ntwo\n\n"), []byte("\n\n"), uint8(3), uint8(1))
	f.Add([]byte("ababab"), []byte("abab"), uint8(0), uint8(2))
	f.Add([]byte("x\r\ny"), []byte("\r\n"), uint8(1), uint8(0))
	f.Fuzz(func(t *testing.T, text, sep []byte, size, buffer uint8) {
		if len(text) > longest || len(sep) == 0 {
			return
		}
		same(t, text, wantDelimited(text, sep), few(size, buffer), readDelimited(t, sep))
	})
}
