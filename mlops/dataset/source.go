package dataset

import (
	"context"
	"iter"

	"github.com/gowren/gowren/storage"
)

// Source is an input: objects, and how they are read. It travels to workers as it is.
type Source struct {
	URLs   []string // as storage.Splits takes them
	Format Format
	Schema Schema
	// Split is how many bytes of an object are one task. Defaults to storage.DefaultSplit.
	Split int64
}

// Format is how a source's objects are written.
type Format struct {
	Name string // csv, jsonl, libsvm, criteo, idx
}

// Part is a range of a source's object that one task reads.
type Part struct {
	storage.Split
	Object int // which of the source's objects it is of, for IDs
}

// Parts cuts the source's objects, in their order.
func (s Source) Parts(ctx context.Context) ([]Part, error) { return nil, nil }

// Blocks yields the rows that begin in a part.
func (s Source) Blocks(ctx context.Context, p Part) iter.Seq2[*Block, error] { return nil }
