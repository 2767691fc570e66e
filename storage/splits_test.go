package storage_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
	"github.com/gowren/gowren/storage/memstore"
)

func TestSplits(t *testing.T) {
	t.Parallel()
	m, dir := memstore.New(), filepath.Join(t.TempDir(), "a dir")
	files, err := filestore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	for _, b := range []storage.Bucket{m, files} {
		for key, size := range map[string]int{"in/a": 10, "in/b/c d": 5, "in/empty": 0, "in-not": 7, "other": 3} {
			if err := b.Put(t.Context(), key, strings.NewReader(strings.Repeat("x", size))); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			path string
			size int64
			want []string
		}{
			{"/in", 4, []string{"in a 0+4/10", "in a 4+4/10", "in a 8+2/10", "in b/c d 0+4/5", "in b/c d 4+1/5"}},
			{"/in/", 5, []string{"in a 0+5/10", "in a 5+5/10", "in b/c d 0+5/5"}},
			{"/in/b/c%20d", 0, []string{"in/b c d 0+5/5"}},
			{"/other", 1 << 62, []string{" other 0+3/3"}},
			{"", 100, []string{" in-not 0+7/7", " in/a 0+10/10", " in/b/c d 0+5/5", " other 0+3/3"}},
			{"/in/empty", 1, nil},
		} {
			splits, err := storage.Splits(t.Context(), b.URL()+c.path, c.size)
			if err != nil {
				t.Errorf("Splits of %s: %v", b.URL()+c.path, err)
			}
			var got []string
			for _, s := range splits {
				folder := strings.Trim(strings.TrimPrefix(s.URL, b.URL()), "/")
				got = append(got, fmt.Sprintf("%s %s %d+%d/%d", folder, s.Key, s.Off, s.Len, s.Size))
				if o, err := b.Stat(t.Context(), strings.TrimPrefix(folder+"/"+s.Key, "/")); err != nil || o.ETag != s.ETag {
					t.Errorf("%+v has another ETag than %+v, %v", s, o, err)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Splits of %s (-want +got):\n%s", b.URL()+c.path, diff)
			}
		}
		for _, path := range []string{"/gone", "/in/gone", "/i", "/in/b/c", "/in/a/below"} {
			_, err := storage.Splits(t.Context(), b.URL()+path, 1)
			if !errors.Is(err, fs.ErrNotExist) && !strings.Contains(fmt.Sprint(err), "not a directory") || !strings.Contains(err.Error(), strings.TrimPrefix(path, "/")) {
				t.Errorf("Splits of %s, where nothing is: %v", path, err)
			}
		}
		if _, err := storage.Splits(t.Context(), b.URL(), -1); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("a negative size: %v", err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "gone")); err == nil {
		t.Error("Splits has made a folder")
	}
}

// TestSplitTravels is that a split comes to a worker as it was.
func TestSplitTravels(t *testing.T) {
	t.Parallel()
	want := storage.Split{
		URL: "s3://b/x", Key: "k", Off: 1 << 40, Len: 2, Size: 1 << 41, ETag: "e", Compression: "zstd", Quotes: storage.QuotesOdd,
	}
	data, err := msgpack.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got storage.Split
	if err := msgpack.Unmarshal(data, &got); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}
