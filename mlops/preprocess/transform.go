package preprocess

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
)

// TransformOptions are for [Fitted.Transform]. The sizes are those of [dataset.WriterOptions].
type TransformOptions struct {
	ShardBytes, GroupBytes, GroupRows int
	Compress                          bool
	// Missing keeps what is still missing, as NaN. Otherwise it is an error.
	Missing bool
}

// Transformed is what [Fitted.Transform] has written.
type Transformed struct {
	Manifest *dataset.Manifest
	Skipped  dataset.Skipped // rows of the source that were left out, by reason
}

// writing is what all tasks of a transform job are told.
type writing struct {
	Source      dataset.Source
	Fitted      []byte
	URL, Prefix string
	Options     TransformOptions
}

// written is what a task of a transform job has stored.
type written struct {
	Shards  []dataset.Shard
	Skipped dataset.Skipped
}

// Transform applies it to a dataset, as a job, and writes the rows as shards to the bucket at url, in their order. The
// source's columns are those that it was fitted to. Where there is a set of shards already, it is fs.ErrExist. A job that
// fails, or ctx that ends, leaves nothing. A task holds a block, and twice ShardBytes.
func (f *Fitted) Transform(ctx context.Context, ex *mapper.Executor, src dataset.Source, url string, o TransformOptions) (*Transformed, error) {
	if !slices.Equal(src.Schema.Columns, f.In.Columns) {
		return nil, fmt.Errorf("preprocess: transform: the source's columns are not those that it was fitted to: %s: %w", difference(src.Schema, f.In), fs.ErrInvalid)
	}
	if err := dataset.Vacant(ctx, url, f.Out()); err != nil {
		return nil, fmt.Errorf("preprocess: transform: %w", err)
	}
	parts, err := src.Parts(ctx)
	if err != nil {
		return nil, err
	}
	var saved bytes.Buffer
	if err := f.Save(&saved); err != nil {
		return nil, err
	}
	w := writing{src, saved.Bytes(), url, "shards-" + rand.Text()[:12], o}
	results, err := mapper.Map(ctx, ex, transformPart.With(w), parts)
	if err != nil {
		return nil, errors.Join(err, dataset.Discard(ctx, url, w.Prefix))
	}
	var t Transformed
	var shards []dataset.Shard
	for _, r := range results {
		shards, t.Skipped = append(shards, r.Shards...), t.Skipped.Merge(r.Skipped)
	}
	t.Manifest, err = dataset.Commit(ctx, url, w.Prefix, f.Out(), shards)
	if t.Manifest == nil {
		return nil, errors.Join(err, dataset.Discard(ctx, url, w.Prefix))
	}
	return &t, err
}

// difference tells of the first one between two schemas.
func difference(got, want dataset.Schema) string {
	if len(got.Columns) != len(want.Columns) {
		return fmt.Sprintf("%d, and it was %d", len(got.Columns), len(want.Columns))
	}
	for i, c := range want.Columns {
		if got.Columns[i] != c {
			return fmt.Sprintf("column %d is %+v, and was %+v", i, got.Columns[i], c)
		}
	}
	return "none"
}

var transformPart = mapper.FuncWith("gowren/preprocess/transform", func(ctx context.Context, w writing, p dataset.Part) (written, error) { return w.part(ctx, p) })

// part transforms a part of the source.
func (w writing) part(ctx context.Context, p dataset.Part) (out written, err error) {
	f, err := Load(bytes.NewReader(w.Fitted))
	if err != nil {
		return out, err
	}
	bucket, err := storage.Open(ctx, w.URL)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	a, err := dataset.NewAssembler(f.Out())
	if err != nil {
		return out, err
	}
	a.Missing = w.Options.Missing
	shards, err := dataset.NewWriter(ctx, bucket, w.Prefix, dataset.WriterOptions{
		Schema: f.Out(), ShardBytes: w.Options.ShardBytes, GroupBytes: w.Options.GroupBytes, GroupRows: w.Options.GroupRows, Compress: w.Options.Compress,
	})
	if err != nil {
		return out, err
	}
	r := w.Source.Read(p)
	err = f.store(r.Blocks(ctx), a, shards)
	stored, closed := shards.Close() // in any case: a shard that is being stored would outlive the task
	if err = cmp.Or(err, closed); err != nil {
		return out, err
	}
	return written{stored, r.Skipped()}, nil
}

// store applies it to blocks, which stay as they are, and writes what becomes of them.
func (f *Fitted) store(blocks iter.Seq2[*dataset.Block, error], a *dataset.Assembler, shards *dataset.Writer) error {
	own := &dataset.Block{}
	for b, err := range blocks {
		if err != nil {
			return err
		}
		own.Rows, own.IDs, own.Columns = b.Rows, b.IDs, append(own.Columns[:0], b.Columns...) // b is used again
		if err := f.Apply(own); err != nil {
			return err
		}
		batch, err := a.Assemble(own)
		if err == nil {
			err = shards.Write(batch)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
