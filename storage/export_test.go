package storage

import (
	"context"
	"iter"
)

// What the tests read is a split in a bucket of their own, which may have faults, through buffers as small as they like.

func from[T any](ctx context.Context, b Bucket, s Split, buffer int, read func(*input, func(T, error) bool) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err := read(&input{ctx, b, s, buffer}, yield); err != nil {
			var none T
			yield(none, err)
		}
	}
}

func LinesFrom(ctx context.Context, b Bucket, s Split, buffer int) iter.Seq2[[]byte, error] {
	return from(ctx, b, s, buffer, func(in *input, yield func([]byte, error) bool) error {
		in.lines(yield)
		return nil
	})
}

func DelimitedFrom(ctx context.Context, b Bucket, s Split, buffer int, sep []byte) iter.Seq2[[]byte, error] {
	return from(ctx, b, s, buffer, func(in *input, yield func([]byte, error) bool) error { return in.delimited(sep, yield) })
}

func RecordsFrom(ctx context.Context, b Bucket, s Split, buffer, size int) iter.Seq2[[]byte, error] {
	return from(ctx, b, s, buffer, func(in *input, yield func([]byte, error) bool) error { return in.records(size, yield) })
}

func CSVFrom(ctx context.Context, b Bucket, s Split, buffer int, o CSVOptions) iter.Seq2[Row, error] {
	return from(ctx, b, s, buffer, func(in *input, yield func(Row, error) bool) error { return in.csv(o, yield) })
}
