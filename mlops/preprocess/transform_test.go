package preprocess

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// heldBucket is one whose Put begins to store when it is let.
type heldBucket struct {
	storage.Bucket
	let chan struct{}
}

func (b heldBucket) Put(_ context.Context, key string, data io.Reader) error {
	<-b.let
	return b.Bucket.Put(context.Background(), key, data)
}

func (heldBucket) Close() error { return nil }

// TestTransformHeld: a task that fails ends after what it is storing has, so that nothing comes to the bucket when all there
// was removed.
func TestTransformHeld(t *testing.T) {
	t.Parallel()
	var held heldBucket
	storage.Register("held", func(context.Context, *url.URL) (storage.Bucket, error) { return held, nil })
	synctest.Test(t, func(t *testing.T) {
		held = heldBucket{memstore.New(), make(chan struct{})}
		from := memstore.New()
		if err := from.Put(t.Context(), "a.csv", strings.NewReader("a\n"+strings.Repeat("1\n", 3*dataset.BlockRows)+"x\n")); err != nil {
			t.Fatal(err)
		}
		src := dataset.Source{
			URLs: []string{from.URL() + "/a.csv"}, Format: dataset.Format{Name: dataset.CSV},
			Schema: dataset.Schema{Columns: []dataset.Column{{Name: "a", Kind: dataset.Number}}},
		}
		f, err := newFitted(src.Schema, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var saved bytes.Buffer
		parts, err := src.Parts(t.Context())
		if err = errors.Join(err, f.Save(&saved)); err != nil {
			t.Fatal(err)
		}
		w := writing{src, saved.Bytes(), "held://x", "shards", TransformOptions{ShardBytes: 16 * dataset.BlockRows}}
		ended := make(chan error, 1)
		go func() {
			_, err := w.part(t.Context(), parts[0])
			ended <- err
		}()
		synctest.Wait()
		if len(ended) > 0 {
			t.Error("it ends while a shard is being stored")
			if err := dataset.Discard(t.Context(), "held://x", "shards"); err != nil {
				t.Error(err)
			}
		}
		close(held.let)
		if err := <-ended; err == nil || strings.Count(err.Error(), "is no number") != 1 {
			t.Error(err)
		}
		if err := dataset.Discard(t.Context(), "held://x", "shards"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if keys := keysOf(t, held.Bucket); len(keys) > 0 {
			t.Errorf("%v is left", keys)
		}
	})
}
