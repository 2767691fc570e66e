package dataset

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

// keys lists a bucket.
func keys(t *testing.T, b storage.Bucket) []string {
	t.Helper()
	var all []string
	for o, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o.Key)
	}
	return all
}

// task stores a shard, as an attempt at a task does.
func task(t *testing.T, b storage.Bucket, prefix string, k kind, from, n int) []Shard {
	t.Helper()
	w, err := NewWriter(t.Context(), b, prefix, WriterOptions{Schema: k.schema()})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(k.make(rand.New(rand.NewPCG(1, 1)), from, n)); err != nil {
		t.Fatal(err)
	}
	shards, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(&Batch{Width: k.width}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a write after the end: %v", err)
	}
	return shards
}

// TestCommit has the shards that were chosen, in their order, and no others.
func TestCommit(t *testing.T) {
	t.Parallel()
	b, k := memstore.New(), kind{labels: true, width: 2}
	one, again, two := task(t, b, "job", k, 0, 5), task(t, b, "job", k, 0, 5), task(t, b, "job", k, 5, 5)
	other := task(t, b, "other", k, 0, 5)
	m, err := Commit(t.Context(), b.URL(), "job", k.schema(), slices.Concat(two, one))
	if err != nil || m.Rows != 10 || m.Size != two[0].Size+one[0].Size || !m.Labels || m.Weights || m.Sparse || m.Width != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	want := []string{manifestKey, one[0].Key, two[0].Key, other[0].Key}
	slices.Sort(want)
	if got := keys(t, b); !slices.Equal(got, want) || slices.Contains(got, again[0].Key) {
		t.Errorf("%q, want %q", got, want)
	}
	s, err := Open(t.Context(), b.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if rows := flat(read(t, s, BatchOptions{})); rows[0].label != 6 || rows[5].label != 1 || s.Groups() != 2 || s.Manifest().Rows != 10 {
		t.Errorf("%v", rows)
	}

	if _, err := Commit(t.Context(), b.URL(), "other", k.schema(), other); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "choose another place") {
		t.Errorf("a second set: %v", err)
	}
	task(t, b, "job", k, 0, 5)
	for _, prefix := range []string{"other", "job"} {
		if err := Discard(t.Context(), b.URL(), prefix); err != nil {
			t.Fatal(err)
		}
	}
	want = slices.DeleteFunc(want, func(key string) bool { return key == other[0].Key })
	if got := keys(t, b); !slices.Equal(got, want) {
		t.Errorf("after discarding: %q, want %q", got, want)
	}
	if err := Discard(t.Context(), b.URL(), ""); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("all is discarded: %v", err)
	}
}

// TestCommitMore: other objects of a set stay with it, and go with what comes to nothing.
func TestCommitMore(t *testing.T) {
	t.Parallel()
	b, k := memstore.New(), kind{width: 2}
	shards := task(t, b, "job", k, 0, 5)
	for _, key := range []string{"job/made", "job/not", "other/made"} {
		if err := b.Put(t.Context(), key, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Commit(t.Context(), b.URL(), "job", k.schema(), shards, "other/made"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("of another job: %v", err)
	}
	if _, err := Commit(t.Context(), b.URL(), "job", k.schema(), shards, "job/made"); err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"other", "job"} {
		if err := Discard(t.Context(), b.URL(), prefix); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{manifestKey, "job/made", shards[0].Key}
	if got := keys(t, b); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	s, err := Open(t.Context(), b.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if more := s.Manifest().More; !slices.Equal(more, []string{"job/made"}) {
		t.Errorf("%q", more)
	}
}

// TestCommitEmpty: of sets without shards, too, only one is there.
func TestCommitEmpty(t *testing.T) {
	t.Parallel()
	b, k := memstore.New(), kind{width: 2}
	if _, err := Commit(t.Context(), b.URL(), "one", k.schema(), nil); err != nil {
		t.Fatal(err)
	}
	if m, err := Commit(t.Context(), b.URL(), "two", k.schema(), nil); m != nil || !errors.Is(err, fs.ErrExist) {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestCommitName: a name that a manifest could not hold is refused before there is one.
func TestCommitName(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	s := Schema{Columns: []Column{{Name: "gr\xf6\xdfe", Kind: Number}}}
	for _, err := range []error{s.Check(), func() error { _, err := Commit(t.Context(), b.URL(), "one", s, nil); return err }()} {
		if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), `column "gr\xf6\xdfe": its name is not UTF-8`) {
			t.Error(err)
		}
	}
	if got := keys(t, b); len(got) > 0 {
		t.Errorf("%v is there", got)
	}
}

// TestCommitRefuses takes no shards that are no set.
func TestCommitRefuses(t *testing.T) {
	t.Parallel()
	b, k := memstore.New(), kind{width: 2}
	dense, sparse := task(t, b, "job", k, 0, 5), task(t, b, "job", kind{width: 2, sparse: true}, 0, 5)
	bad := slices.Clone(dense)
	bad[0].Rows = -1
	for what, c := range map[string]struct {
		prefix string
		schema Schema
		shards []Shard
	}{
		"dense and sparse": {"job", k.schema(), slices.Concat(dense, sparse)},
		"of another job":   {"jo", k.schema(), dense},
		"rows":             {"job", k.schema(), bad},
		"no schema":        {"job", Schema{}, dense},
		"strings":          {"job", Schema{Columns: []Column{{Name: "town", Kind: String}}}, dense},
	} {
		if _, err := Commit(t.Context(), b.URL(), c.prefix, c.schema, c.shards); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := Open(t.Context(), b.URL()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a set that nobody committed: %v", err)
	}
	if err := Discard(t.Context(), b.URL(), "job"); err != nil || len(keys(t, b)) != 0 {
		t.Errorf("%v, %q", err, keys(t, b))
	}
}

// TestManifestRefuses opens no set whose manifest contradicts itself.
func TestManifestRefuses(t *testing.T) {
	t.Parallel()
	b, k := memstore.New(), kind{width: 2, labels: true}
	shards := task(t, b, "job", k, 0, 5)
	for what, change := range map[string]func(m *Manifest){
		"version":  func(m *Manifest) { m.Version = 2 },
		"hash":     func(m *Manifest) { m.Hash = "0000" },
		"width":    func(m *Manifest) { m.Width = 3 },
		"labels":   func(m *Manifest) { m.Labels = false },
		"rows":     func(m *Manifest) { m.Rows++ },
		"group":    func(m *Manifest) { m.Shards[0].Group = 0 },
		"key":      func(m *Manifest) { m.Shards[0].Key = "../x" },
		"sparse":   func(m *Manifest) { m.Sparse = true },
		"size":     func(m *Manifest) { m.Shards[0].Size = -m.Size },
		"nonzeros": func(m *Manifest) { m.NonZeros = 4 },
		"more":     func(m *Manifest) { m.More = []string{"../x"} },
		"schema":   func(m *Manifest) { m.Schema.Columns[0].Name = "other" },
	} {
		m, err := newManifest(k.schema(), slices.Clone(shards))
		if err != nil {
			t.Fatal(err)
		}
		m.Schema.Columns = slices.Clone(m.Schema.Columns)
		change(&m)
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Put(t.Context(), manifestKey, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), b.URL()); err == nil || !strings.Contains(err.Error(), manifestKey) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func init() {
	// A bucket in memory whose requests fail as the query says.
	storage.Register("faulty-dataset", func(_ context.Context, u *url.URL) (storage.Bucket, error) {
		b, err := memstore.Open(u.Host)
		q := u.Query()
		rule := storagetest.Rule{Op: q.Get("op"), Key: q.Get("key")}
		if q.Has("after") {
			rule.After = fs.ErrPermission
		} else {
			rule.Before = fs.ErrPermission
		}
		return storagetest.Faults(b, rule), err
	})
}

// TestManifestClaims: a manifest that claims more row groups than its shards have bytes for, or than a set has, is refused before
// an order of them is made.
func TestManifestClaims(t *testing.T) {
	t.Parallel()
	b, k := memstore.New(), kind{width: 2}
	shard := task(t, b, "job", k, 0, 5)[0]
	shard.Group, shard.Rows = 1, maxGroups
	for want, shards := range map[string][]Shard{
		"row groups: write larger ones":       slices.Repeat([]Shard{{Key: "k", Group: 1, Rows: maxGroups, Size: 1 << 30}}, maxSetGroups/maxGroups+1),
		"cannot be: 65536 rows":               {shard},
		"cannot be: 9223372036854775807 rows": {{Key: "k", Group: 65536, Rows: math.MaxInt64, Size: 1 << 30}},
	} {
		if _, err := newManifest(k.schema(), shards); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestCommitFaults tells a manifest that is stored from one that is not, and keeps its shards.
func TestCommitFaults(t *testing.T) {
	t.Parallel()
	k := kind{width: 2}
	for _, c := range []struct {
		query          string
		stored, failed bool
	}{
		{"op=putnew&after=", true, false}, // only the reply was lost
		{"op=putnew", false, true},
		{"op=list", true, true}, // what no manifest names stays
		{"op=delete", true, true},
	} {
		b := memstore.New()
		shards := task(t, b, "job", k, 0, 5)
		task(t, b, "job", k, 0, 5)
		m, err := Commit(t.Context(), "faulty-dataset://"+strings.TrimPrefix(b.URL(), "mem://")+"?"+c.query, "job", k.schema(), shards)
		if (m != nil) != c.stored || (err != nil) != c.failed {
			t.Errorf("%s: %v, %v", c.query, m, err)
		}
		if s, err := Open(t.Context(), b.URL()); (err == nil) != c.stored {
			t.Errorf("%s: the set is not as its commit says: %v", c.query, err)
		} else if err == nil {
			read(t, s, BatchOptions{})
			s.Close()
		}
	}
	b := memstore.New()
	shards := task(t, b, "job", k, 0, 5)
	if _, err := Commit(t.Context(), "faulty-dataset://"+strings.TrimPrefix(b.URL(), "mem://")+"?op=", "job", k.schema(), shards); err == nil || !strings.Contains(err.Error(), "not known") {
		t.Errorf("neither stored nor read: %v", err)
	}
	if err := Discard(t.Context(), "faulty-dataset://"+strings.TrimPrefix(b.URL(), "mem://")+"?op=get", "job"); err == nil || len(keys(t, b)) != 1 {
		t.Errorf("discarded without knowing what is named: %v", err)
	}
}
