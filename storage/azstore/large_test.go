package azstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
)

const mib = 1 << 20

// get reads a range.
func get(ctx context.Context, b storage.Bucket, key string, off, n int64) (string, error) {
	r, err := b.Get(ctx, key, off, n)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

// unseekable hides what a reader could tell of itself.
func unseekable(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }

// TestSizes counts the requests of objects around the sizes at which they change.
func TestSizes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size       int
		puts, head int64 // requests of a PutNew
		gets       int64 // of a Get
	}{
		{1, 1, 0, 1}, {4 * mib, 1, 0, 1}, {4*mib + 1, 1, 0, 2}, {8 * mib, 1, 0, 2},
		{8*mib + 1, 3, 1, 3}, {16 * mib, 3, 1, 4}, {40*mib + 12345, 7, 1, 11},
	} {
		t.Run(fmt.Sprint(c.size), func(t *testing.T) {
			t.Parallel()
			b, _ := fresh(t)
			text := pattern(c.size)
			if err := b.PutNew(t.Context(), "k", unseekable(text)); err != nil {
				t.Fatal(err)
			}
			if got, err := get(t.Context(), b, "k", 0, -1); err != nil || got != text {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			want := storage.Stats{Sent: int64(c.size), Received: int64(c.size)}
			want.Requests[storage.KindPut] = c.puts
			want.Requests[storage.KindStat] = c.head
			want.Requests[storage.KindGet] = c.gets
			if got, ok := storage.StatsOf(storage.Prefix(b, "p")); !ok || got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	b, _ := fresh(t)
	all := pattern(21*mib + 7)
	if err := b.Put(t.Context(), "k", strings.NewReader(all)); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]int64{
		{0, 4 * mib}, {0, 4*mib + 1}, {1, 4 * mib}, {3*mib + 5, 9 * mib}, {20 * mib, -1}, {20 * mib, 100 * mib}, {21*mib + 6, -1},
		{21*mib + 7, -1}, {5, math.MaxInt64}, {12 * mib, 1},
	} {
		end := int64(len(all))
		if c[1] >= 0 && c[1] < end-c[0] {
			end = c[0] + c[1]
		}
		if got, err := get(t.Context(), b, "k", c[0], c[1]); err != nil || got != all[c[0]:end] {
			t.Errorf("from %d, %d bytes: %d bytes, %v", c[0], c[1], len(got), err)
		}
	}
}

// TestChanged replaces an object while it is read.
func TestChanged(t *testing.T) {
	t.Parallel()
	b, _ := fresh(t)
	if err := b.Put(t.Context(), "k", strings.NewReader(pattern(32*mib))); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func() error{
		"replaced": func() error { return b.Put(t.Context(), "k", strings.NewReader(pattern(32*mib))) },
		"deleted":  func() error { return b.Delete(t.Context(), "k") },
	} {
		r, err := b.Get(t.Context(), "k", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, r, 100); err != nil {
			t.Fatal(err)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r)
		if !errors.Is(err, storage.ErrChanged) && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: read on for %d bytes, %v", name, n, err)
		}
		r.Close()
		if name == "replaced" {
			continue
		}
		if err := b.Put(t.Context(), "k", strings.NewReader(pattern(32*mib))); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLargeRace has several writers of blocks: whoever is first takes the blocks of the others away.
func TestLargeRace(t *testing.T) {
	t.Parallel()
	b, _ := fresh(t)
	for round := range 2 {
		key := fmt.Sprint("k", round)
		var won atomic.Pointer[string]
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() {
				data := fmt.Sprintf("writer %d:", i) + pattern(17*mib)
				err := b.PutNew(t.Context(), key, strings.NewReader(data))
				if err == nil && !won.CompareAndSwap(nil, &data) || err != nil && !errors.Is(err, fs.ErrExist) {
					t.Errorf("writer %d: %v", i, err)
				}
			})
		}
		group.Wait()
		if got, err := get(t.Context(), b, key, 0, -1); err != nil || won.Load() == nil || got != *won.Load() {
			t.Errorf("%d bytes, %v, which no winner wrote", len(got), err)
		}
	}
	// Of those who replace, each is stored, or told that it was not.
	var group sync.WaitGroup
	retried := storage.Retry(b, storage.RetryPolicy{Attempts: 10})
	written := sync.Map{}
	for i := range 4 {
		group.Go(func() {
			data := fmt.Sprintf("writer %d:", i) + pattern(17*mib)
			written.Store(data, true)
			if err := retried.Put(t.Context(), "r", strings.NewReader(data)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	got, err := get(t.Context(), b, "r", 0, -1)
	if _, ok := written.Load(got); err != nil || !ok {
		t.Errorf("%d bytes, %v, which nobody wrote", len(got), err)
	}
}

// TestOthersBlocks puts an object where another program has left an upload unfinished.
func TestOthersBlocks(t *testing.T) {
	t.Parallel()
	s := servers.Azure(t)
	name := newContainer(t, s)
	b := opened(t, address(s, s.Endpoint, name), variables(keyVariable, s.Key))
	theirs := containerClient(t, s, name).NewBlockBlobClient("k")
	id := newID() // of the length that the SDKs use
	if _, err := theirs.StageBlock(t.Context(), id, body([]byte("left")), nil); err != nil {
		t.Fatal(err)
	}
	want := pattern(17 * mib)
	if _, err := b.Stat(t.Context(), "k"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an unfinished upload is there: %v", err)
	}
	if err := b.PutNew(t.Context(), "k", strings.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t.Context(), b, "k", 0, -1); err != nil || got != want {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	list, err := theirs.GetBlockList(t.Context(), blockblob.BlockListTypeAll, nil)
	if err != nil || len(list.CommittedBlocks) != 3 || len(list.UncommittedBlocks) != 0 {
		t.Errorf("%d blocks, %d unfinished, %v", len(list.CommittedBlocks), len(list.UncommittedBlocks), err)
	}
}

// TestConnections counts what is dialed: bodies that are not read to their end would cost a connection each.
func TestConnections(t *testing.T) {
	t.Parallel()
	s := servers.Azure(t)
	var dialed atomic.Int64
	env := variables(keyVariable, s.Key)
	env.client.transport = func(tr *http.Transport) {
		dial := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialed.Add(1)
			return dial(ctx, network, addr)
		}
	}
	b := opened(t, address(s, s.Endpoint, newContainer(t, s)), env)
	for i := range 20 {
		key := fmt.Sprint("k", i)
		if err := b.PutNew(t.Context(), key, strings.NewReader(pattern(100_000*i))); err != nil {
			t.Fatal(err)
		}
		if err := b.PutNew(t.Context(), key, strings.NewReader("x")); !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
		if got, err := get(t.Context(), b, key, 0, -1); err != nil || got != pattern(100_000*i) {
			t.Fatal(err)
		}
		if _, err := get(t.Context(), b, "gone", 0, -1); !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err := b.Delete(t.Context(), "gone"); err != nil {
			t.Fatal(err)
		}
		for _, err := range b.List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := dialed.Load(); n > 3 {
		t.Errorf("%d connections for one request after another", n)
	}
}
