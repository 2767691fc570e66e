package storage

import (
	"context"
	"iter"
)

// LongestRow is so short that a test can have a longer one.
const LongestRow = 100_000

// What the tests read is a split in a bucket of their own, which may have faults, through buffers as small as they like.

func from[T any](ctx context.Context, b Bucket, s Split, buffer int, read func(*input, func(T, error) bool) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err := read(&input{ctx: ctx, b: b, s: s, buffer: buffer, row: LongestRow, tag: s.ETag}, yield); err != nil {
			var none T
			yield(none, err)
		}
	}
}

// LinesFrom is [Lines] from an open bucket.
func LinesFrom(ctx context.Context, b Bucket, s Split, buffer int) iter.Seq2[[]byte, error] {
	return from(ctx, b, s, buffer, func(in *input, yield func([]byte, error) bool) error {
		in.lines(yield)
		return nil
	})
}

// LinesAtFrom is [LinesAt] from an open bucket.
func LinesAtFrom(ctx context.Context, b Bucket, s Split, buffer int) iter.Seq2[Line, error] {
	return from(ctx, b, s, buffer, (*input).linesAt)
}

// ChunksFrom is [Chunks] from an open bucket.
func ChunksFrom(ctx context.Context, b Bucket, s Split, buffer int) iter.Seq2[[]byte, error] {
	return from(ctx, b, s, buffer, (*input).chunks)
}

// DelimitedFrom is [Delimited] from an open bucket.
func DelimitedFrom(ctx context.Context, b Bucket, s Split, buffer int, sep []byte) iter.Seq2[[]byte, error] {
	return from(ctx, b, s, buffer, func(in *input, yield func([]byte, error) bool) error { return in.delimited(sep, yield) })
}

// RecordsFrom is [Records] from an open bucket.
func RecordsFrom(ctx context.Context, b Bucket, s Split, buffer, size int) iter.Seq2[[]byte, error] {
	return from(ctx, b, s, buffer, func(in *input, yield func([]byte, error) bool) error { return in.records(size, yield) })
}

// CSVFrom is [CSV] from an open bucket.
func CSVFrom(ctx context.Context, b Bucket, s Split, buffer int, o CSVOptions) iter.Seq2[Row, error] {
	return from(ctx, b, s, buffer, func(in *input, yield func(Row, error) bool) error { return in.csv(o, yield) })
}
