package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

// aged lists objects as older than they are.
type aged struct {
	storage.Bucket
	age     map[string]time.Duration
	foreign []string
}

func (a aged) List(ctx context.Context, prefix string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		for _, key := range a.foreign { // what no store of ours takes, and others may hold
			if strings.HasPrefix(key, prefix) && !yield(storage.Object{Key: key}, nil) {
				return
			}
		}
		for o, err := range a.Bucket.List(ctx, prefix) {
			o.Modified = o.Modified.Add(-a.age[o.Key])
			if !yield(o, err) {
				return
			}
		}
	}
}

func (a aged) Stat(ctx context.Context, key string) (storage.Object, error) {
	o, err := a.Bucket.Stat(ctx, key)
	if key != renewed {
		o.Modified = o.Modified.Add(-a.age[key])
	}
	return o, err
}

// renewed is a program that is uploaded anew while the listing of old ones is read.
const renewed = "programs/RENEWED.zst"

// TestClean: what is old goes, and nothing else.
func TestClean(t *testing.T) {
	b := memstore.New()
	defer memstore.Delete(b.Name())
	a := aged{b, map[string]time.Duration{}, []string{"jobs/", "jobs//x"}}
	stamp := func(age time.Duration) string {
		return time.Now().UTC().Add(-age).Format("20060102-150405-") + "ABCDEFGHIJ"
	}
	old, running, young := stamp(50*time.Hour), stamp(49*time.Hour), stamp(time.Hour)
	var gone []string
	for key, age := range map[string]time.Duration{
		"jobs/" + old + "/in/1":        50 * time.Hour,
		"jobs/" + old + "/shuffle/m0":  49 * time.Hour,
		"jobs/" + running + "/in/1":    49 * time.Hour,
		"jobs/" + running + "/out/1":   time.Minute, // it still writes
		"jobs/" + young + "/in/1":      time.Hour,
		"jobs/notes/of/a/user":         100 * time.Hour,
		"jobs/2026":                    100 * time.Hour,
		"data/" + old + "/in/1":        100 * time.Hour,
		"jobs":                         100 * time.Hour,
		"jobsfile":                     100 * time.Hour,
		"canceled/OLD":                 49 * time.Hour,
		"programs/OLD.zst":             31 * 24 * time.Hour,
		"programs/YOUNG.zst":           29 * 24 * time.Hour,
		renewed:                        31 * 24 * time.Hour,
		"programsOLD":                  99 * 24 * time.Hour,
		"canceled/YOUNG":               time.Hour,
		"sort/" + old + "/is/not/ours": 100 * time.Hour,
	} {
		if key == "jobs" {
			continue // no key is another's folder
		}
		if err := b.Put(t.Context(), key, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		a.age[key] = age
		if strings.HasPrefix(key, "jobs/"+old) || strings.HasPrefix(key, "canceled/OLD") || strings.HasPrefix(key, "programs/OLD") {
			gone = append(gone, key)
		}
	}
	before := keys(t.Context(), t, b)
	n, err := mapper.Clean(t.Context(), a, 48*time.Hour)
	if err != nil || n != len(gone) {
		t.Errorf("%d objects deleted, want %d: %v", n, len(gone), err)
	}
	after := keys(t.Context(), t, b)
	want := slices.DeleteFunc(before, func(key string) bool { return slices.Contains(gone, key) })
	if !slices.Equal(after, want) {
		t.Errorf("%q are left, want %q", after, want)
	}
}

// TestCleanMany deletes more than one request can, and tells of errors.
func TestCleanMany(t *testing.T) {
	b := memstore.New()
	defer memstore.Delete(b.Name())
	a := aged{b, map[string]time.Duration{}, nil}
	for i := range 1500 {
		key := fmt.Sprintf("jobs/20200102-030405-ABCDEFGHIJ/in/%d", i)
		if err := b.Put(t.Context(), key, strings.NewReader("")); err != nil {
			t.Fatal(err)
		}
		a.age[key] = 48 * time.Hour
	}
	for _, op := range []string{"list", "delete"} {
		bad := storagetest.Faults(a, storagetest.Rule{Op: op, Before: fs.ErrPermission})
		if n, err := mapper.Clean(t.Context(), bad, time.Hour); !errors.Is(err, fs.ErrPermission) || n != 0 {
			t.Errorf("%s: %d, %v", op, n, err)
		}
	}
	if n, err := mapper.Clean(t.Context(), a, time.Hour); n != 1500 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
