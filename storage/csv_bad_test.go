package storage_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

func readRows(t *testing.T, o storage.CSVOptions) func(storage.Split) iter.Seq2[storage.Row, error] {
	return func(s storage.Split) iter.Seq2[storage.Row, error] { return storage.CSV(t.Context(), s, o) }
}

// TestBadCSV is an error with object and line, or is skipped and counted once, whatever the splits.
func TestBadCSV(t *testing.T) {
	t.Parallel()
	for bad, cause := range map[string]error{
		"1": csv.ErrFieldCount, "1,2,3": csv.ErrFieldCount, `1,2"`: csv.ErrBareQuote, `1,2"x"`: csv.ErrBareQuote, `"1"2",3`: csv.ErrQuote,
		"\xff,2": nil, "1,a\xc3": nil, "\"\n\",\xff": nil,
	} {
		for _, o := range []storage.CSVOptions{{}, {NoHeader: true}, {SingleLine: true}} {
			if o.SingleLine && strings.Contains(bad, "\n") || strings.Count(bad, `"`)%2 == 1 && !o.SingleLine {
				continue // see TestBadQuotes
			}
			text := "a,b\n\"3\",4\n\n\n" + bad + "\n5,6\n7,8\n"
			if !o.SingleLine {
				text = "a,b\n\"\n\",4\n\n" + bad + "\n5,6\n7,8\n"
			}
			all := packed(t, []byte(text))
			all[""] = []byte(text)
			for name, data := range all {
				for size := int64(1); size < int64(len(text)); size++ {
					splits := splitsOf(t, put(t, data), size)
					o.Skip = nil
					got, err := collect(splits, readRows(t, o))
					at := (*csv.ParseError)(nil)
					before := 1
					if o.NoHeader {
						before = 2
					}
					if !errors.As(err, &at) || at.StartLine != 5 || at.Line < 5 || cause != nil && !errors.Is(err, cause) || len(got) != before ||
						!errors.As(err, new(*storage.Error)) || !strings.Contains(err.Error(), `"k"`) || !strings.Contains(err.Error(), "line 5") {
						t.Fatalf("%q in splits of %d bytes %s: %q, %v", bad, size, name, got, err)
					}
					var skipped []string
					o.Skip = func(err error) { skipped = append(skipped, fmt.Sprint(err)) }
					got, all := collect(splits, readRows(t, o))
					if all != nil || len(got) != before+2 || !slices.Equal(skipped, []string{err.Error()}) {
						t.Fatalf("%q in splits of %d bytes %s: %q, %v, skipped %q", bad, size, name, got, all, skipped)
					}
				}
			}
		}
	}
}

// TestBadQuotes turn the quotes after them inside out: what is skipped depends on the splits, but that something is does
// not, and without Skip it is the same error for all.
func TestBadQuotes(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{`1,2"`, `"1"2",3`, `"1,2`} {
		text := "a,b\n3,4\n" + bad + "\n5,\"6\n\"\n7,8\n"
		for size := int64(1); size < int64(len(text)); size++ {
			splits := splitsOf(t, put(t, []byte(text)), size)
			got, err := collect(splits, readRows(t, storage.CSVOptions{}))
			if err == nil || !strings.Contains(err.Error(), "line 3") || len(got) != 1 {
				t.Errorf("%q in splits of %d bytes: %q, %v", bad, size, got, err)
			}
			skipped := 0
			got, err = collect(splits, readRows(t, storage.CSVOptions{Skip: func(error) { skipped++ }}))
			if err != nil || len(got) < 1 || skipped == 0 {
				t.Errorf("%q in splits of %d bytes: %q, %v, skipped %d", bad, size, got, err, skipped)
			}
		}
	}
}

// TestBadFirstRow is final where it is the header, and is else passed over by all splits alike.
func TestBadFirstRow(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{`a,b"b"`, "a,\xff"} {
		text := bad + "\n1,2,3\n4,5,6\n7,8\n"
		for size := int64(1); size < int64(len(text)); size++ {
			splits := splitsOf(t, put(t, []byte(text)), size)
			skipped := 0
			o := storage.CSVOptions{Skip: func(error) { skipped++ }}
			for _, s := range splits {
				if got, err := collect([]storage.Split{s}, readRows(t, o)); err == nil || !strings.Contains(err.Error(), "line 1,") || got != nil || skipped > 0 {
					t.Errorf("a bad header %q in splits of %d bytes: %q, %v, skipped %d", bad, size, got, err, skipped)
				}
			}
			o.NoHeader = true
			got, err := collect(splits, readRows(t, o))
			if want := []string{`[] ["1" "2" "3"]`, `[] ["4" "5" "6"]`}; err != nil || !slices.Equal(got, want) || skipped != 2 {
				t.Errorf("a bad first row %q in splits of %d bytes: %q, %v, skipped %d", bad, size, got, err, skipped)
			}
		}
	}
}

func TestBadComma(t *testing.T) {
	t.Parallel()
	splits := splitsOf(t, put(t, []byte("a")), 0)
	for _, comma := range []rune{'"', '\n', '\r', -1, 0xfffd, 0xd800} {
		if got, err := collect(splits, readRows(t, storage.CSVOptions{Comma: comma})); !errors.Is(err, fs.ErrInvalid) || got != nil {
			t.Errorf("fields parted by %q: %q, %v", comma, got, err)
		}
	}
}

// TestLongRow is that a quote that is not closed does not take all memory.
func TestLongRow(t *testing.T) {
	t.Parallel()
	for _, quote := range []string{`"`, ""} {
		text := "a\n\nb\n" + quote + strings.Repeat("0123456789", storage.LongestRow/8) + "\nc\n"
		b := put(t, []byte(text))
		for _, off := range []int64{0, 3} {
			n := int64(len(text))
			s := storage.Split{Key: "k", Off: off, Len: n - off, Size: n, Quotes: storage.QuotesEven}
			got, err := collect([]storage.Split{s}, func(s storage.Split) iter.Seq2[storage.Row, error] {
				return storage.CSVFrom(t.Context(), b, s, 1<<10, storage.CSVOptions{Skip: func(err error) { t.Error(err) }})
			})
			if err == nil || !strings.Contains(err.Error(), "line 4,") || !strings.Contains(err.Error(), "longer than 64 MiB") || len(got) != 1 {
				t.Errorf("%.50q, %v", got, err)
			}
		}
	}
}

// TestLinesOfBadRowsAreCountedAside has the lines counted while the rest is read, and a split that names no version.
func TestLinesOfBadRowsAreCountedAside(t *testing.T) {
	t.Parallel()
	text := "a,b\n" + strings.Repeat("1,2\n3\n", 5000)
	b := put(t, []byte(text))
	lines := strings.Split(text, "\n")
	skipped := 0
	for _, s := range splitsOf(t, b, 10_000) {
		s.ETag = ""
		for _, err := range storage.CSVFrom(t.Context(), b, s, 100, storage.CSVOptions{Skip: func(err error) {
			if at := (*csv.ParseError)(nil); !errors.As(err, &at) || lines[at.Line-1] != "3" || at.Line != 3+2*skipped {
				t.Errorf("row %d: %v", skipped, err)
			}
			skipped++
		}}) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if skipped != 5000 {
		t.Errorf("%d rows were skipped", skipped)
	}
}

// TestLostReadIsNoBadRow has reads fail anywhere, also where what was read of a row looks like a bad one.
func TestLostReadIsNoBadRow(t *testing.T) {
	t.Parallel()
	text := "a,b\n\"1\n\",2\n3,\"4\"\n5,6\n"
	b := put(t, []byte(text))
	for n := range int64(len(text)) {
		for _, s := range splitsOf(t, b, 9) {
			for _, lost := range []error{errWire, fmt.Errorf("gone: %w", io.EOF)} {
				f := storagetest.Faults(b, storagetest.Rule{Op: "get", Cut: lost, At: n})
				_, err := collect([]storage.Split{s}, func(s storage.Split) iter.Seq2[storage.Row, error] {
					return storage.CSVFrom(t.Context(), f, s, 5, storage.CSVOptions{Skip: func(err error) { t.Errorf("skipped: %v", err) }})
				})
				// A split may need no more than n bytes.
				if err == nil && n < min(s.Len+1, 10) || err != nil && !errors.Is(err, lost) {
					t.Errorf("a read that is lost after %d bytes, in the split from %d on: %v", n, s.Off, err)
				}
			}
		}
	}
}

// TestRowErrorf: what a caller finds wrong names the object and the line, in each split.
func TestRowErrorf(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	t.Cleanup(func() { memstore.Delete(b.Name()) })
	if err := b.Put(t.Context(), "a.csv", strings.NewReader("h,x\n\"1\n1\",a\n2,b\n\n3,c\n4,d\n")); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"1\n1": "record on line 2: ", "2": "record on line 4: ", "3": "record on line 6: ", "4": "record on line 7: "}
	for _, size := range []int64{1, 7, 100} {
		splits, err := storage.Splits(t.Context(), b.URL(), size)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, s := range splits {
			for row, err := range storage.CSV(t.Context(), s, storage.CSVOptions{}) {
				if err != nil {
					t.Fatal(err)
				}
				bad := row.Errorf("no: %w", fs.ErrInvalid)
				if text := bad.Error(); !errors.Is(bad, fs.ErrInvalid) || !strings.Contains(text, want[row.Fields[0]]+"no: ") || !strings.Contains(text, "a.csv") {
					t.Errorf("splits of %d, row %q: %v", size, row.Fields, bad)
				}
				seen++
			}
		}
		if seen != 4 {
			t.Errorf("%d rows", seen)
		}
	}
	if err := (storage.Row{}).Errorf("no"); err == nil || err.Error() != "no" {
		t.Errorf("a row of one's own: %v", err)
	}
}
