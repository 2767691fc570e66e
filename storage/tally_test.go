package storage_test

import (
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// TestTally: each of several users of a bucket has counts of its own, also where the bucket counts, which it goes on to do.
func TestTally(t *testing.T) {
	t.Parallel()
	m := memstore.New()
	t.Cleanup(func() { memstore.Delete(m.Name()) })
	b := storage.Count(m)
	var meters [2]storage.Meter
	var users [2]storage.Bucket
	for i := range users {
		users[i] = storage.Retry(storage.Tally(b, &meters[i]), storage.RetryPolicy{})
	}
	for i, puts := range []int{3, 5} {
		for range puts {
			if err := users[i].Put(t.Context(), "key", strings.NewReader("abc")); err != nil {
				t.Fatal(err)
			}
		}
	}
	all, _ := storage.StatsOf(b)
	first, _ := storage.StatsOf(users[0])
	second := meters[1].Stats()
	if first.Requests[storage.KindPut] != 3 || second.Requests[storage.KindPut] != 5 || second.Sent != 15 || all != first.Add(second) {
		t.Errorf("%+v and %+v of %+v", first, second, all)
	}
}
