package storage_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
	"github.com/gowren/gowren/storage/memstore"
)

func TestPatterns(t *testing.T) {
	t.Parallel()
	files, err := filestore.Open(filepath.Join(t.TempDir(), "a*dir"))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	m := memstore.New()
	defer memstore.Delete(m.Name())
	for _, b := range []storage.Bucket{files, m} {
		for _, key := range []string{
			"in/a.csv", "in/b.csv", "in/b.txt", "in/c/a.csv", "in/c/d/a.csv", "in/c/d/e.csv", "in/star*.csv", "in/[x].csv", "in/w hat?.csv",
			"in/ä.csv", `in/back\slash.csv`, "log-1/x/y", "log-2/x/y", "log-2/z", "top.csv",
		} {
			if err := b.Put(t.Context(), key, strings.NewReader("x")); err != nil {
				t.Fatal(err)
			}
		}
		for pattern, want := range map[string][]string{
			"in/*.txt":             {"in/b.txt"},
			"in/[ab].csv":          {"in/a.csv", "in/b.csv"},
			"in/[^a-z].csv":        {"in/ä.csv"},
			"in/*/a.csv":           {"in/c/a.csv"},
			"in/**/a.csv":          {"in/a.csv", "in/c/a.csv", "in/c/d/a.csv"},
			"in/c/**":              {"in/c/a.csv", "in/c/d/a.csv", "in/c/d/e.csv"},
			"**/d/**/*.csv":        {"in/c/d/a.csv", "in/c/d/e.csv"},
			"**/c/**/a.csv":        {"in/c/a.csv", "in/c/d/a.csv"},
			"**/**/z":              {"log-2/z"},
			"*.csv":                {"top.csv"},
			"in/star%2A.csv":       {"in/star*.csv"},
			"in/%5Bx%5D.csv":       {"in/[x].csv"},
			"in/s*%2A.csv":         {"in/star*.csv"},
			"in/[%5B]x*":           {"in/[x].csv"},
			"in/w%20hat%3F*":       {"in/w hat?.csv"},
			"in/w hat*":            {"in/w hat?.csv"},
			"in/%C3%A4*":           {"in/ä.csv"},
			"in/ä*":                {"in/ä.csv"},
			`in/back%5Cslash*`:     {`in/back\slash.csv`},
			`in/back\slash*`:       {`in/back\slash.csv`},
			"log-*/":               {"log-1/x/y", "log-2/x/y", "log-2/z"},
			"log-*/**":             {"log-1/x/y", "log-2/x/y", "log-2/z"},
			"log-*/*":              {"log-2/z"},
			"log-[2-9]/x/y":        {"log-2/x/y"},
			"*/x/*":                {"log-1/x/y", "log-2/x/y"},
			"log-2":                {"log-2/x/y", "log-2/z"},
			"**/[d]/[^a-d]*.c[s]v": {"in/c/d/e.csv"},
		} {
			splits, err := storage.Splits(t.Context(), b.URL()+"/"+pattern, 0)
			if err != nil {
				t.Errorf("%s: %v", pattern, err)
				continue
			}
			var got []string
			for _, s := range splits {
				folder := strings.Trim(strings.TrimPrefix(s.URL, b.URL()), "/")
				got = append(got, strings.TrimPrefix(folder+"/"+s.Key, "/"))
				if lines, err := collect([]storage.Split{s}, readers(t)["lines"]); err != nil || len(lines) != 1 {
					t.Errorf("%s: the split %+v has %d lines, %v", pattern, s, len(lines), err)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", pattern, diff)
			}
		}
		for _, pattern := range []string{"*.no", "in/*/no", "no/*", "in/**/no", "log-*", "no-*/", "in/b*/"} {
			_, err := storage.Splits(t.Context(), b.URL()+"/"+pattern, 0)
			if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(fmt.Sprint(err), pattern) {
				t.Errorf("%s, which nothing matches: %v", pattern, err)
			}
		}
		for _, pattern := range []string{"[", "in/[a", "in/*/[]", "x/[a-]*", "*[%5D"} {
			_, err := storage.Splits(t.Context(), b.URL()+"/"+pattern, 0)
			if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(fmt.Sprint(err), pattern) {
				t.Errorf("the malformed pattern %s: %v", pattern, err)
			}
		}
	}
}
