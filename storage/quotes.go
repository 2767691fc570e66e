package storage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
)

// Quotes tells whether the quotes before a split are odd in number, so that it begins inside a quoted field of CSV.
type Quotes uint8

// What is known of the quotes before a split.
const (
	QuotesUnknown Quotes = iota
	QuotesEven           // the split begins outside a quoted field
	QuotesOdd            // the split begins inside one
)

// CountQuotes counts the quotation marks in the split's own bytes, of which it reads no more. A compressed object is not
// read, and has none: it is one split. See [SetQuotes].
func CountQuotes(ctx context.Context, s Split) (int64, error) {
	b, done, err := openSplit(ctx, s.URL)
	if err != nil {
		return 0, err
	}
	defer done()
	in := newInput(ctx, b, s)
	if err := in.check(); err != nil || s.Compression != "" {
		return 0, err
	}
	return in.count('"', s.Off, s.Off+s.Len)
}

// SetQuotes returns the splits with what [CSV] needs to know of what comes before each, so that it need not look: counts
// holds what [CountQuotes] returns for each. The splits of an object follow each other from its beginning on, as
// [Splits] returns them; otherwise the error is [io/fs.ErrInvalid].
//
//	splits, err := storage.Splits(ctx, url, 0)
//	...
//	counts := make([]int64, len(splits))
//	for i, s := range splits { // better in as many tasks at once
//		counts[i], err = storage.CountQuotes(ctx, s)
//		...
//	}
//	splits, err = storage.SetQuotes(splits, counts)
func SetQuotes(splits []Split, counts []int64) ([]Split, error) {
	if len(splits) != len(counts) {
		return nil, fmt.Errorf("%w: storage: %d splits, but %d counts of quotes", fs.ErrInvalid, len(splits), len(counts))
	}
	set := make([]Split, len(splits))
	var quotes, next int64 // before the split; where it begins
	for i, s := range splits {
		if s.Off == 0 {
			quotes, next = 0, 0
		} else if i > 0 && (splits[i-1].URL != s.URL || splits[i-1].Key != s.Key) {
			next = 0
		}
		if s.Off != next || counts[i] < 0 {
			return nil, fmt.Errorf("%w: storage: the quotes before byte %d of %q in %s are not known", fs.ErrInvalid,
				s.Off, s.Key, s.URL)
		}
		s.Quotes = QuotesEven
		if quotes%2 == 1 {
			s.Quotes = QuotesOdd
		}
		set[i] = s
		quotes += counts[i] % 2
		next = s.Off + s.Len
	}
	return set, nil
}

// count tells how often c stands in a range of the object.
func (in *input) count(c byte, from, to int64) (int64, error) {
	if from >= to {
		return 0, nil
	}
	f := in.feed(from, to-from, to)
	defer f.close()
	n := int64(0)
	for {
		data, err := f.next()
		if err == io.EOF { // a wrapped io.EOF is a lost connection
			return n, nil
		}
		if err != nil {
			return 0, in.fail("get", err)
		}
		n += int64(bytes.Count(data, []byte{c}))
	}
}
