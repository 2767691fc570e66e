package preprocess

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
)

// setOf stores rows as a set, in shards of a size, and returns its URL.
func setOf(t *testing.T, ex *mapper.Executor, name string, sparse bool, rows, shardBytes int) string {
	t.Helper()
	url := ex.Bucket().URL() + "/" + name
	s := dataset.Schema{Columns: []dataset.Column{
		{Name: "x", Kind: dataset.Vector, Width: 5}, {Name: "y", Kind: dataset.Number, Role: dataset.Label}, {Name: "w", Kind: dataset.Number, Role: dataset.Weight},
	}}
	b := &dataset.Batch{Width: 5}
	if sparse {
		b.Ptr = []int{0}
	}
	for i := range rows {
		b.Rows++
		b.Labels, b.Weights = append(b.Labels, float32(i)), append(b.Weights, 1+float32(i%3))
		for k := range 5 {
			if !sparse || k < i%4 {
				b.Values = append(b.Values, float32(10*i+k+1))
				b.Idx = append(b.Idx, uint32(k))
			}
		}
		if sparse {
			b.Ptr = append(b.Ptr, len(b.Values))
		}
	}
	if !sparse {
		b.Idx = nil
	}
	bucket, prefix := ex.Bucket(), name+"/shards"
	w, err := dataset.NewWriter(t.Context(), bucket, prefix, dataset.WriterOptions{Schema: s, ShardBytes: shardBytes, GroupRows: 50})
	if err != nil {
		t.Fatal(err)
	}
	if rows > 0 {
		err = w.Write(b)
	}
	shards, closed := w.Close()
	if err := errors.Join(err, closed); err != nil {
		t.Fatal(err)
	}
	for i := range shards {
		shards[i].Key = strings.TrimPrefix(shards[i].Key, name+"/")
	}
	if _, err := dataset.Commit(t.Context(), url, "shards", s, shards); err != nil {
		t.Fatal(err)
	}
	return url
}

// linesOf are the rows of a set as text.
func linesOf(t *testing.T, url string) (all []string) {
	t.Helper()
	set, err := dataset.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	var g dataset.Group
	for i := range set.Groups() {
		if err := set.Read(t.Context(), i, &g); err != nil {
			t.Fatal(err)
		}
		for row := range g.Rows {
			line := fmt.Sprint(g.Labels[row], g.Weights[row])
			if g.Sparse() {
				idx, val := g.Row(row)
				line += fmt.Sprint(idx, val)
			} else {
				line += fmt.Sprint(g.Dense(row))
			}
			all = append(all, line)
		}
	}
	return all
}

// TestShuffle holds that all rows come once and whole, in an order of the seed's, whatever the shards; and that nothing else
// stays.
func TestShuffle(t *testing.T) {
	t.Parallel()
	for _, sparse := range []bool{false, true} {
		ex := mappertest.New(t)
		var want []string
		for i, shard := range []int{1 << 20, 3000} {
			from := setOf(t, ex, fmt.Sprintf("in%d", i), sparse, 700, shard)
			url := fmt.Sprintf("%s/out%d", ex.Bucket().URL(), i)
			m, err := Shuffle(t.Context(), ex, from, url, ShuffleOptions{Seed: 4, ShardBytes: 5000})
			if err != nil {
				t.Fatal(err)
			}
			before, got := linesOf(t, from), linesOf(t, url)
			if m.Rows != 700 || i == 0 && slices.Equal(got, before) || i > 0 && !slices.Equal(got, want) {
				t.Errorf("sparse %t, shards of %d bytes: %d rows, or another order", sparse, shard, m.Rows)
			}
			want = got
			sorted := slices.Sorted(slices.Values(got))
			if slices.Sort(before); !slices.Equal(sorted, before) {
				t.Errorf("sparse %t: other rows came", sparse)
			}
			near := 0
			for k := range got[1:] {
				var a, b int
				if _, err := fmt.Sscan(got[k], &a); err != nil {
					t.Fatal(err)
				}
				if _, err := fmt.Sscan(got[k+1], &b); err != nil {
					t.Fatal(err)
				}
				if b-a == 1 {
					near++
				}
			}
			if near > 10 {
				t.Errorf("%d of 700 rows follow the one that they followed", near)
			}
			if _, err := Shuffle(t.Context(), ex, from, url, ShuffleOptions{}); !errors.Is(err, fs.ErrExist) {
				t.Errorf("a second time: %v", err)
			}
		}
		other := ex.Bucket().URL() + "/other"
		if _, err := Shuffle(t.Context(), ex, ex.Bucket().URL()+"/in0", other, ShuffleOptions{Seed: 5}); err != nil || slices.Equal(linesOf(t, other), want) {
			t.Errorf("another seed: the same order, or %v", err)
		}
		for o, err := range ex.Bucket().List(t.Context(), "preprocess/") {
			t.Errorf("%s stays, %v", o.Key, err)
		}
	}
}

// TestShuffleNothing holds sets without rows, and that are not there.
func TestShuffleNothing(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	m, err := Shuffle(t.Context(), ex, setOf(t, ex, "in", false, 0, 0), ex.Bucket().URL()+"/out", ShuffleOptions{})
	if err != nil || m.Rows != 0 {
		t.Errorf("no rows: %v", err)
	}
	if _, err := Shuffle(t.Context(), ex, ex.Bucket().URL()+"/nowhere", ex.Bucket().URL()+"/out2", ShuffleOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no set: %v", err)
	}
}

// TestShuffleFails: what cannot be stored is told once.
func TestShuffleFails(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	b := ex.Bucket()
	rows := rowCode{Width: 1}
	if err := errors.Join(b.Put(t.Context(), "sorted", bytes.NewReader(make([]byte, 4*1000))), b.Put(t.Context(), "taken", strings.NewReader(""))); err != nil {
		t.Fatal(err)
	}
	w := shuffled{
		URL: b.URL(), Prefix: "taken", Rows: rows, Options: ShuffleOptions{ShardBytes: 100},
		Schema: dataset.Schema{Columns: []dataset.Column{{Name: "x", Kind: dataset.Number}}},
	}
	_, err := w.store(t.Context(), storage.Split{URL: b.URL(), Key: "sorted", Len: 4000})
	if err == nil || strings.Count(err.Error(), "could not be stored") != 1 || !strings.HasPrefix(err.Error(), "preprocess: shuffle: ") {
		t.Error(err)
	}
}

// FuzzRows reads any bytes as rows: what is read is written as those bytes.
func FuzzRows(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 3, 0, 0, 0, 9, 9, 9, 0, 8, 8, 8, 0}, true, true, false)
	f.Add([]byte{255, 255, 255, 255}, true, false, false)
	f.Add(make([]byte, 40), false, false, true)
	f.Fuzz(func(t *testing.T, data []byte, sparse, labels, weights bool) {
		code := rowCode{4, sparse, labels, weights}
		r := &rowReader{rowCode: code, from: bytes.NewReader(data)}
		var again []byte
		for {
			b := &dataset.Batch{Width: 4}
			if sparse {
				b.Ptr = []int{0}
			}
			err := r.add(b)
			if err == io.EOF {
				break
			}
			if err != nil {
				return
			}
			again = code.append(again, b, 0)
		}
		if !bytes.Equal(again, data) {
			t.Fatalf("%x, of %x", again, data)
		}
	})
}
