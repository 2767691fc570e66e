package preprocess

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
)

// ShuffleOptions are for [Shuffle]. The sizes are those of [dataset.WriterOptions].
type ShuffleOptions struct {
	Seed                              uint64
	ShardBytes, GroupBytes, GroupRows int
	Compress                          bool
}

// Shuffle writes the rows of the set at the URL from to the bucket at url, as another set, in an order that the seed alone
// tells: by a hash of it and of the rows' numbers. What made the rows goes with them, for [Open].
// Where there is a set already, it is fs.ErrExist.
//
// It is two jobs: one sorts the rows in the executor's bucket, which takes room for all of them there until the end, and one
// writes shards. Neither holds the rows: mapper.Sort tells about memory. The order does not depend on how the set is cut into
// shards, and not on the workers; where the new shards end does.
func Shuffle(ctx context.Context, ex *mapper.Executor, from, url string, o ShuffleOptions) (_ *dataset.Manifest, err error) {
	set, err := dataset.Open(ctx, from)
	if err != nil {
		return nil, err
	}
	m := set.Manifest()
	if err := set.Close(); err != nil {
		return nil, err
	}
	switch there, err := dataset.Open(ctx, url); { // before the work, which Commit would refuse
	case err == nil:
		return nil, errors.Join(fmt.Errorf("preprocess: shuffle: %s has a set already: %w", url, fs.ErrExist), there.Close())
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	var saved []byte
	if key := fittedOf(m); key != "" {
		if saved, err = fetch(ctx, from, key); err != nil {
			return nil, fmt.Errorf("preprocess: shuffle: what made the rows could not be read: %w", err)
		}
	}
	work := storage.Prefix(ex.Bucket(), "preprocess/"+rand.Text()[:12])
	defer func() { err = errors.Join(err, remove(ctx, work)) }()
	sorted, err := mapper.Sort(ctx, ex, rowsByHash, shuffleInputs(m, from, o.Seed), work.URL())
	if err != nil {
		return nil, err
	}
	w := shuffled{URL: url, Prefix: "shards-" + rand.Text()[:12], Schema: m.Schema, Rows: rowCodeOf(m), Options: o}
	parts, err := mapper.Map(ctx, ex, storeShuffled.With(w), sorted.Splits(0))
	var shards []dataset.Shard
	for _, p := range parts {
		shards = append(shards, p...)
	}
	var more []string
	if err == nil && saved != nil {
		more = []string{w.Prefix + fittedName}
		err = keep(ctx, url, more[0], saved)
	}
	var out *dataset.Manifest
	if err == nil {
		out, err = dataset.Commit(ctx, url, w.Prefix, m.Schema, shards, more...)
	}
	if out == nil {
		return nil, errors.Join(err, dataset.Discard(ctx, url, w.Prefix))
	}
	return out, err
}

// shuffleInput is a shard of the set: its row groups, and its first row.
type shuffleInput struct {
	URL           string
	Group, Groups int
	Row           uint64
	Seed          uint64
}

func shuffleInputs(m *dataset.Manifest, url string, seed uint64) []shuffleInput {
	var all []shuffleInput
	next := shuffleInput{URL: url, Seed: seed}
	for _, s := range m.Shards {
		next.Groups = int((s.Rows + int64(s.Group) - 1) / int64(s.Group))
		all = append(all, next)
		next.Group, next.Row = next.Group+next.Groups, next.Row+uint64(s.Rows)
	}
	return all
}

// shuffled is what all tasks are told that store rows.
type shuffled struct {
	URL, Prefix string
	Schema      dataset.Schema
	Rows        rowCode
	Options     ShuffleOptions
}

var (
	rowsByHash = mapper.Emit("gowren/preprocess/rows", func(ctx context.Context, in shuffleInput, emit func(uint64, []byte)) (err error) {
		set, err := dataset.Open(ctx, in.URL)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, set.Close()) }()
		code, row := rowCodeOf(set.Manifest()), in.Row
		var g dataset.Group
		var text []byte
		for i := range in.Groups {
			if err := set.Read(ctx, in.Group+i, &g); err != nil {
				return err
			}
			for k := range g.Rows {
				text = code.append(text[:0], &g.Batch, k)
				emit(dataset.Order(in.Seed, row), text)
				row++
			}
		}
		return nil
	})

	storeShuffled = mapper.FuncWith("gowren/preprocess/shuffled", func(ctx context.Context, w shuffled, s storage.Split) ([]dataset.Shard, error) {
		return w.store(ctx, s)
	})
)

// store writes a split of the sorted rows as shards.
func (w shuffled) store(ctx context.Context, s storage.Split) (_ []dataset.Shard, err error) {
	in, err := storage.Open(ctx, s.URL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	to, err := storage.Open(ctx, w.URL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	o := w.Options
	shards, err := dataset.NewWriter(ctx, to, w.Prefix, dataset.WriterOptions{
		Schema: w.Schema, ShardBytes: o.ShardBytes, GroupBytes: o.GroupBytes, GroupRows: o.GroupRows, Compress: o.Compress,
	})
	if err != nil {
		return nil, err
	}
	r, err := in.Get(ctx, s.Key, s.Off, s.Len)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	err = copyRows(&rowReader{rowCode: w.Rows, from: bufio.NewReaderSize(r, 1<<18)}, shards.Write)
	stored, closed := shards.Close() // which tells the error of a Write again
	if err = cmp.Or(err, closed); err != nil {
		return nil, fmt.Errorf("preprocess: shuffle: %w", err)
	}
	return stored, nil
}

// copyRows gives all rows to write, some at a time.
func copyRows(r *rowReader, write func(*dataset.Batch) error) error {
	const enough = 1 << 20 // values
	b := &dataset.Batch{Width: r.Width}
	for {
		*b = dataset.Batch{Width: r.Width, Values: b.Values[:0], Ptr: b.Ptr[:0], Idx: b.Idx[:0], Labels: b.Labels[:0], Weights: b.Weights[:0]}
		if r.Sparse {
			b.Ptr = append(b.Ptr, 0)
		}
		var err error
		for b.Rows < dataset.BlockRows && len(b.Values) < enough && err == nil {
			err = r.add(b)
		}
		if err != nil && err != io.EOF {
			return err
		}
		if b.Rows > 0 {
			if err := write(b); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}
