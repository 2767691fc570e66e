package dataset

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/gowren/gowren/storage"
)

// Manifest names the shards of a set. It is an object itself, dataset.json, which is stored when all of them are: what it
// does not name is no part of the set.
type Manifest struct {
	Version int    `json:"version"`
	Commit  string `json:"commit,omitempty"` // tells it from others of the same shards, as of none
	Schema  Schema `json:"schema"`
	Hash    string `json:"hash"`  // of the schema
	Width   int    `json:"width"` // of a row's features
	Sparse  bool   `json:"sparse,omitempty"`
	Labels  bool   `json:"labels,omitempty"`
	Weights bool   `json:"weights,omitempty"`

	Rows     int64 `json:"rows"`
	NonZeros int64 `json:"nonzeros,omitempty"` // of a sparse set
	Size     int64 `json:"size"`               // of all shards, in bytes

	// Shards are the objects, in the order of their rows.
	Shards []Shard `json:"shards"`
	// More are the keys of other objects of the set, as of what made its rows.
	More []string `json:"more,omitempty"`
}

// Shard is one object of a set.
type Shard struct {
	Key      string `json:"key"`  // in the bucket
	Size     int64  `json:"size"` // in bytes
	Rows     int64  `json:"rows"`
	Group    int    `json:"group"` // rows of each row group but the last
	Sparse   bool   `json:"sparse,omitempty"`
	NonZeros int64  `json:"nonzeros,omitempty"` // of a sparse one
	Sum      uint32 `json:"crc32c"`             // of its header, which has those of the row groups
	Hash     string `json:"hash,omitempty"`     // of the schema by which it was written
}

const (
	manifestKey     = "dataset.json"
	manifestVersion = 1
	maxManifest     = 1 << 30 // bytes that are read of one
	maxSetGroups    = 1 << 26 // of all shards: an order has 4 bytes for each
)

// newManifest describes shards.
func newManifest(s Schema, shards []Shard, more ...string) (Manifest, error) {
	m := Manifest{
		Version: manifestVersion, Commit: rand.Text(), Schema: s, Hash: s.Hash(), Width: s.Width(),
		Labels: s.With(Label) >= 0, Weights: s.With(Weight) >= 0, Shards: shards, More: more,
	}
	for i, shard := range shards {
		if i == 0 {
			m.Sparse = shard.Sparse
		}
		m.Rows += shard.Rows
		m.NonZeros += shard.NonZeros
		m.Size += shard.Size
	}
	return m, m.check()
}

// check returns an error that says what no set can be.
func (m *Manifest) check() error {
	if m.Version != manifestVersion {
		return fmt.Errorf("version %d: this program reads version %d", m.Version, manifestVersion)
	}
	if err := errors.Join(m.Schema.Check(), encoded(m.Schema)); err != nil {
		return err
	}
	s := m.Schema
	if m.Hash != s.Hash() || m.Width != s.Width() || m.Labels != (s.With(Label) >= 0) || m.Weights != (s.With(Weight) >= 0) {
		return fmt.Errorf("what it says of its schema is not so: hash %s, width %d: %w", m.Hash, m.Width, fs.ErrInvalid)
	}
	var rows, nonZeros, size, groups int64
	for _, shard := range m.Shards {
		switch {
		case shard.Hash != "" && shard.Hash != m.Hash:
			return fmt.Errorf("shard %q was written by another schema, whose hash is %s, and not by that of the set, %s: %w", shard.Key, shard.Hash, m.Hash, fs.ErrInvalid)
		case shard.Sparse != m.Sparse:
			return fmt.Errorf("shard %q is sparse and others are not, or the reverse: write all with batches of one form: %w", shard.Key, fs.ErrInvalid)
		case shard.Rows <= 0, shard.Rows > maxGroups*maxRows, shard.Group <= 0, shard.Group > maxRows, groupsOf(shard.Rows, max(shard.Group, 1)) > maxGroups,
			shard.Size < int64(sizeOfHeader(int(groupsOf(shard.Rows, max(shard.Group, 1))))), shard.NonZeros < 0, storage.CheckKey(shard.Key) != nil:
			return fmt.Errorf("shard %q cannot be: %d rows in groups of %d, %d bytes: %w", shard.Key, shard.Rows, shard.Group, shard.Size, fs.ErrInvalid)
		}
		if groups += groupsOf(shard.Rows, shard.Group); groups > maxSetGroups {
			return fmt.Errorf("more than %d row groups: write larger ones: %w", maxSetGroups, fs.ErrInvalid)
		}
		rows, nonZeros, size = rows+shard.Rows, nonZeros+shard.NonZeros, size+shard.Size
		if rows < 0 || nonZeros < 0 || size < 0 {
			return fmt.Errorf("more rows than can be: %w", fs.ErrInvalid)
		}
	}
	for i, key := range m.More {
		if err := storage.CheckKey(key); err != nil {
			return err
		}
		if slices.Contains(m.More[:i], key) || slices.ContainsFunc(m.Shards, func(s Shard) bool { return s.Key == key }) {
			return fmt.Errorf("%q is named twice: %w", key, fs.ErrInvalid)
		}
	}
	if rows != m.Rows || nonZeros != m.NonZeros || size != m.Size {
		return fmt.Errorf("its shards have %d rows and %d non-zeros in %d bytes, and it says %d, %d, %d: %w",
			rows, nonZeros, size, m.Rows, m.NonZeros, m.Size, fs.ErrInvalid)
	}
	return nil
}

// encoded returns an error when features, or a label, are not numbers.
func encoded(s Schema) error {
	for _, c := range s.Columns {
		switch {
		case c.Role == Ignored:
		case c.Kind == String:
			return fmt.Errorf("dataset: column %q has strings: encode it first, or ignore it: %w", c.Name, fs.ErrInvalid)
		case c.Width < 0:
			return fmt.Errorf("dataset: column %q has a width that is not known: %w", c.Name, fs.ErrInvalid)
		}
	}
	if s.Width() > maxWidth {
		return fmt.Errorf("dataset: the features of a row are %d numbers, which is more than %d: %w", s.Width(), maxWidth, fs.ErrInvalid)
	}
	return nil
}

func readManifest(ctx context.Context, b storage.Bucket) (*Manifest, error) {
	r, err := b.Get(ctx, manifestKey, 0, maxManifest)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	m := new(Manifest)
	if err = json.Unmarshal(data, m); err == nil {
		err = m.check()
	}
	if err != nil {
		return nil, &storage.Error{Op: "read", URL: b.URL(), Key: manifestKey, Err: err}
	}
	return m, nil
}

// store stores the manifest, unless there is one.
func (m *Manifest) store(ctx context.Context, b storage.Bucket) error {
	data, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	if err = b.PutNew(ctx, manifestKey, bytes.NewReader(data)); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s holds a dataset: choose another place, or delete %s and what it names: %w", b.URL(), manifestKey, err)
	}
	return err
}
