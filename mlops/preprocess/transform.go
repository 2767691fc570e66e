package preprocess

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
)

// TransformOptions are for [Fitted.Transform]. The sizes are those of [dataset.WriterOptions].
type TransformOptions struct {
	// NoLabels is for rows that a model is to tell the label of: the source may lack the columns of labels and weights, and has them
	// passed over, and the set has none. Its Schema may be In() all the same. By place, as in CSV without a header, they must be there.
	NoLabels                          bool
	ShardBytes, GroupBytes, GroupRows int
	Compress                          bool
}

// Transformed is what [Fitted.Transform] has written.
type Transformed struct {
	Manifest *dataset.Manifest
	Skipped  dataset.Skipped // rows of the source that were left out, by reason
	Dropped  int64           // rows that transforms have left out, as [DropMissing] does
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
	Dropped int64
}

// Transform applies it to a dataset, as a job, and writes the rows as shards to the bucket at url, in their order. It stores itself
// with them, for [Open]. The source's columns are those that it was fitted to. Where there is a set of shards already, it is
// fs.ErrExist. A job that fails, or ctx that ends, leaves nothing. A task holds a block, and twice ShardBytes.
func (f *Fitted) Transform(ctx context.Context, ex *mapper.Executor, src dataset.Source, url string, o TransformOptions) (*Transformed, error) {
	src, err := f.source(src, !o.NoLabels)
	if err != nil {
		return nil, fmt.Errorf("preprocess: transform: the source is not what it was fitted to: set its Schema to In(), to read it as then: %w", err)
	}
	out := f.made(!o.NoLabels)
	if err := dataset.Vacant(ctx, url, out); err != nil {
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
		shards, t.Skipped, t.Dropped = append(shards, r.Shards...), t.Skipped.Merge(r.Skipped), t.Dropped+r.Dropped
	}
	if rows := slices.IndexFunc(shards, func(s dataset.Shard) bool { return s.Rows > 0 }); rows < 0 && t.Dropped == 0 {
		if err := src.Rows.Empty(); err != nil {
			return nil, errors.Join(fmt.Errorf("preprocess: transform: %w", err), dataset.Discard(ctx, url, w.Prefix))
		}
	}
	key := w.Prefix + fittedName
	if err = keep(ctx, url, key, w.Fitted); err == nil {
		t.Manifest, err = dataset.Commit(ctx, url, w.Prefix, out, shards, key)
	}
	if t.Manifest == nil {
		return nil, errors.Join(err, dataset.Discard(ctx, url, w.Prefix))
	}
	return &t, err
}

// read is the schema by which a source is read that has the columns of In: those that are ignored are of In's kinds, but for one
// that parts the rows by its values.
func (f *Fitted) read(src dataset.Source) dataset.Schema {
	s := copied(src.Schema)
	for i, c := range f.in().Columns {
		if c.Role == dataset.Ignored && c.Name != src.Rows.By {
			s.Columns[i] = c
		}
	}
	return s
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
	schema := f.made(!w.Options.NoLabels)
	a, err := dataset.NewAssembler(schema)
	if err != nil {
		return out, err
	}
	a.Missing = f.KeepMissing
	shards, err := dataset.NewWriter(ctx, bucket, w.Prefix, dataset.WriterOptions{
		Schema: schema, ShardBytes: w.Options.ShardBytes, GroupBytes: w.Options.GroupBytes, GroupRows: w.Options.GroupRows, Compress: w.Options.Compress,
	})
	if err != nil {
		return out, err
	}
	r := w.Source.Read(p)
	blocks := r.Blocks(ctx)
	if w.Options.NoLabels {
		blocks = f.widen(w.Source.Schema, blocks)
	}
	dropped, err := f.store(blocks, !w.Options.NoLabels, a, shards)
	stored, closed := shards.Close() // in any case: a shard that is being stored would outlive the task
	if err = cmp.Or(err, closed); err != nil {
		return out, err
	}
	return written{stored, r.Skipped(), dropped}, nil
}

// store applies it to blocks, which stay as they are, and writes what becomes of them. It returns how many rows transforms have left
// out.
func (f *Fitted) store(blocks iter.Seq2[*dataset.Block, error], labelled bool, a *dataset.Assembler, shards *dataset.Writer) (dropped int64, err error) {
	own := &dataset.Block{}
	for b, err := range blocks {
		if err != nil {
			return dropped, err
		}
		columns := append(own.Columns[:0], b.Columns...) // b is used again
		*own = *b
		own.Columns = columns
		if err := own.Check(f.in()); err != nil {
			return dropped, fmt.Errorf("preprocess: %w", err)
		}
		if _, err := f.apply(own, labelled); err != nil {
			return dropped, err
		}
		if dropped += int64(b.Rows - own.Rows); own.Rows == 0 {
			continue
		}
		batch, err := a.Assemble(own)
		if err == nil {
			err = shards.Write(batch)
		}
		if err != nil {
			return dropped, err
		}
	}
	return dropped, nil
}
