package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

// stretch is what is found in one range of the result.
type stretch struct {
	Summary     summary
	First, Last []byte // keys
}

// inspect reads a range, and fails where a record is below the one before it.
var inspect = mapper.Func("inspect", func(ctx context.Context, s storage.Split) (stretch, error) {
	return read(ctx, s, true)
})

// survey reads a range of the input, in any order.
var survey = mapper.Func("survey", func(ctx context.Context, s storage.Split) (stretch, error) {
	return read(ctx, s, false)
})

func read(ctx context.Context, s storage.Split, sorted bool) (stretch, error) {
	var found stretch
	for record, err := range storage.Records(ctx, s, recordSize) {
		if err != nil {
			return found, err
		}
		key := record[:keySize]
		if sorted && found.Summary.Count > 0 && bytes.Compare(found.Last, key) > 0 {
			return found, fmt.Errorf("%s in %s: key %q comes after %q", s.Key, s.URL, key, found.Last)
		}
		if found.Summary.Count == 0 {
			found.First = bytes.Clone(key)
		}
		found.Last = append(found.Last[:0], key...)
		found.Summary.add(record)
	}
	return found, nil
}

// summarize reads the input.
func summarize(ctx context.Context, ex *mapper.Executor, splits []storage.Split) (summary, error) {
	var all summary
	found, err := mapper.Map(ctx, ex, survey, splits)
	for _, f := range found {
		all.join(f.Summary)
	}
	return all, err
}

// check compares the result with what was to be sorted.
func check(ctx context.Context, ex *mapper.Executor, result mapper.Manifest, want summary) error {
	found, err := mapper.Map(ctx, ex, inspect, result.Splits(0))
	if err != nil {
		return err
	}
	var got summary
	var last []byte
	for _, f := range found {
		if f.Summary.Count == 0 {
			continue
		}
		if bytes.Compare(last, f.First) > 0 {
			return fmt.Errorf("the result is not in order: a range begins with key %q and comes after %q", f.First, last)
		}
		last = f.Last
		got.join(f.Summary)
	}
	switch {
	case got.Count != want.Count:
		return fmt.Errorf("the result has %d records, want %d", got.Count, want.Count)
	case got.Sum != want.Sum:
		return errors.New("the result has other records than the input: the checksums differ")
	}
	return nil
}
