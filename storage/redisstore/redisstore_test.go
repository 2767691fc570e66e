package redisstore

import (
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/storagetest"
)

func TestConformance(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Bucket { return whole(t) })
}

// databases numbers those of the test's server, one for each bucket.
var databases atomic.Int64

func server(t testing.TB) string {
	t.Helper()
	return servers.Redis(t, "--databases", "10000").Addr
}

// freshURL names a database that nobody uses.
func freshURL(t testing.TB, addr string) string {
	return "redis://" + addr + "/" + strconv.FormatInt(databases.Add(1), 10)
}

// opened opens a bucket, and closes it at the end of the test.
func opened(t testing.TB, url string) storage.Bucket {
	t.Helper()
	b, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

// whole opens an empty bucket.
func whole(t testing.TB) *bucket {
	t.Helper()
	return opened(t, freshURL(t, server(t))).(*bucket)
}

func wantList(t *testing.T, b storage.Bucket, want ...string) {
	t.Helper()
	var got []string
	for o, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Key)
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

// await waits until something holds that nobody tells of.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

// zero is an entry of the index.
func zero(key string) redis.Z { return redis.Z{Member: key} }

func BenchmarkBucket(b *testing.B) {
	storagetest.Bench(b, func(b *testing.B) storage.Bucket { return whole(b) })
}
