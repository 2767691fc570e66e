package storage

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
)

// Split is a byte range of an object: a unit of input for one task. It can be sent to a worker, which opens the bucket
// by its URL.
type Split struct {
	URL  string // of the bucket
	Key  string
	Off  int64
	Len  int64
	Size int64  // of the whole object
	ETag string // of the object that was split

	// Compression is "gzip", "zstd", or empty. A compressed object is one split.
	Compression string
	// Quotes is what [SetQuotes] found out for [CSV]. It is QuotesUnknown where nobody asked.
	Quotes Quotes
}

// DefaultSplit is the size of a split where the caller names none.
const DefaultSplit = 16 << 20

// Splits cuts the objects at rawURL into ranges of size bytes, or of [DefaultSplit] where size is 0; the last range of
// an object is shorter. The URL names a bucket, or a folder in one, of which it takes all objects at any depth
// (file:///data, s3://bucket/logs); or one object (file:///data/a.txt); or it is a pattern. The ranges come in the order
// of the keys and offsets.
//
// A path that holds * or [ is a pattern (s3://bucket/logs/2024-*/[ab]*.csv). Both are those of [path.Match] and stop at
// slashes; what else path.Match knows, a question mark, begins a URL's parameters, and braces stand for themselves. A
// segment ** stands for any number of segments, none included. A pattern that ends in a slash takes all
// objects below the folders that match. In the name of a folder or an object write %2A and %5B. A pattern that is
// malformed is [io/fs.ErrInvalid]. What is listed is all that has the pattern's beginning, up to its first * or [.
//
// An object that begins as gzip or zstd does is one range, whatever its size, with its Compression set: the readers
// unpack it. An empty object has no ranges. Where no object matches, the error is [io/fs.ErrNotExist]. It takes one
// listing, one Get of four bytes an object, 32 at once, and memory for all ranges.
func Splits(ctx context.Context, rawURL string, size int64) ([]Split, error) {
	return SplitsOf(ctx, []string{rawURL}, size)
}

// SplitsOf is [Splits] of several URLs, which may be of several buckets: the ranges come in the order of the URLs. An
// object that two URLs take is there twice. Each URL that nothing matches is an error, and so are no URLs at all.
func SplitsOf(ctx context.Context, urls []string, size int64) ([]Split, error) {
	switch {
	case size < 0:
		return nil, fmt.Errorf("%w: storage: the split size %d is negative", fs.ErrInvalid, size)
	case len(urls) == 0:
		return nil, fmt.Errorf("%w: storage: no URLs to split", fs.ErrInvalid)
	case size == 0:
		size = DefaultSplit
	}
	parts := make([][]Split, len(urls))
	gate := make(chan struct{}, requests)
	err := atOnce(ctx, len(urls), func(ctx context.Context, i int) (err error) {
		parts[i], err = splitURL(ctx, urls[i], size, gate)
		return err
	})
	if err != nil {
		return nil, err
	}
	return slices.Concat(parts...), nil
}

// splitURL cuts the objects at one URL.
func splitURL(ctx context.Context, rawURL string, size int64, gate chan struct{}) ([]Split, error) {
	l, err := list(ctx, rawURL)
	if err != nil {
		return nil, err
	}
	defer l.b.Close()
	compressions := make([]string, len(l.objects))
	err = atOnce(ctx, len(l.objects), func(ctx context.Context, i int) (err error) {
		compressions[i], err = sniff(ctx, l.b, l.objects[i], gate)
		return err
	})
	if err != nil {
		return nil, err
	}
	var splits []Split
	for i, o := range l.objects {
		splits = append(splits, cut(l.b.URL(), o, compressions[i], size)...)
	}
	return splits, nil
}

// cut cuts one object.
func cut(url string, o Object, compression string, size int64) []Split {
	if compression != "" {
		size = o.Size
	}
	var splits []Split
	for off := int64(0); off < o.Size; off += size {
		splits = append(splits, Split{
			URL: url, Key: o.Key, Off: off, Len: min(size, o.Size-off), Size: o.Size, ETag: o.ETag, Compression: compression,
		})
		if off > o.Size-size { // the sum could overflow
			break
		}
	}
	return splits
}
