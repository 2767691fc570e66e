package storage_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/storage"
	_ "github.com/gowren/gowren/storage/filestore"
	"github.com/gowren/gowren/storage/memstore"
)

// tallies holds, by host, how often tally:// URLs were opened and closed.
var tallies sync.Map

type tally struct{ opened, closed, refuse atomic.Int64 }

// newHost names a tally of its own.
func newHost() string { return strings.ToLower(rand.Text()) }

func tallyOf(host string) *tally {
	v, _ := tallies.LoadOrStore(host, new(tally))
	return v.(*tally)
}

func init() {
	storage.Register("tally", func(_ context.Context, u *url.URL) (storage.Bucket, error) {
		n := tallyOf(u.Host)
		if n.refuse.Add(-1) >= 0 {
			return nil, errors.New("no credentials yet")
		}
		n.opened.Add(1)
		b := &tallied{Bucket: memstore.New(), n: n}
		return b, b.Put(context.Background(), "k", strings.NewReader("one\ntwo\n"))
	})
}

type tallied struct {
	*memstore.Bucket
	n *tally
}

func (b *tallied) Close() error {
	b.n.closed.Add(1)
	memstore.Delete(b.Name())
	return nil
}

// readTally reads the lines of a tally:// URL, and calls amid at the first.
func readTally(ctx context.Context, host string, amid func()) error {
	lines := 0
	for _, err := range storage.Lines(ctx, storage.Split{URL: "tally://" + host, Key: "k", Len: 8, Size: 8}) {
		if err != nil {
			return err
		}
		if lines++; lines == 1 {
			amid()
		}
	}
	if lines != 2 {
		return fmt.Errorf("%d lines", lines)
	}
	return nil
}

func TestKeepOpen(t *testing.T) {
	t.Parallel()
	host := newHost()
	n := tallyOf(host)
	check := func(when string, opened, closed int64) {
		t.Helper()
		if n.opened.Load() != opened || n.closed.Load() != closed {
			t.Errorf("%s: opened %d times and closed %d, want %d and %d", when, n.opened.Load(), n.closed.Load(), opened, closed)
		}
	}
	read := func(ctx context.Context, amid func()) {
		t.Helper()
		if err := readTally(ctx, host, amid); err != nil {
			t.Error(err)
		}
	}
	read(t.Context(), func() {})
	check("without", 1, 1)

	ctx, closeKept := storage.KeepOpen(t.Context())
	n.refuse.Store(1)
	if err := readTally(ctx, host, func() {}); err == nil || !strings.Contains(err.Error(), "no credentials yet") {
		t.Error(err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			one, cancel := context.WithCancel(ctx) // ends with its reader, which others outlive
			defer cancel()
			read(one, func() {})
		})
	}
	all.Wait()
	if _, err := storage.CountQuotes(ctx, storage.Split{URL: "tally://" + host, Key: "k", Len: 8, Size: 8}); err != nil {
		t.Error(err)
	}
	check("kept", 2, 1)
	read(ctx, func() {
		if err := closeKept(); err != nil {
			t.Error(err)
		}
		check("closed amid a reader", 2, 1)
	})
	check("the last reader has ended", 2, 2)
	read(ctx, func() {})
	check("after it was closed", 3, 3)
	if err := closeKept(); err != nil {
		t.Error("closed twice:", err)
	}
}

// TestKeepOpenBound: what is kept is bounded, and closed.
func TestKeepOpenBound(t *testing.T) {
	t.Parallel()
	ctx, closeKept := storage.KeepOpen(t.Context())
	const urls = 20
	host := newHost()
	var opened, closed int64
	sum := func() {
		opened, closed = 0, 0
		for i := range urls {
			n := tallyOf(fmt.Sprint(host, i))
			opened, closed = opened+n.opened.Load(), closed+n.closed.Load()
		}
	}
	for i := range 2 * urls {
		if err := readTally(ctx, fmt.Sprint(host, i%urls), func() {}); err != nil {
			t.Fatal(err)
		}
	}
	if sum(); opened != 16+2*4 || opened-closed != 16 {
		t.Errorf("%d were opened and %d closed, want 16 open", opened, closed)
	}
	if err := closeKept(); err != nil {
		t.Error(err)
	}
	if sum(); opened != closed {
		t.Errorf("%d were opened and %d closed", opened, closed)
	}
}

// TestKeepOpenStuck: a store that does not come to open keeps up who waits for it, until that gives up, and nobody else.
func TestKeepOpenStuck(t *testing.T) {
	t.Parallel()
	scheme, begun, free := "stuck"+newHost(), make(chan struct{}, 1), make(chan struct{})
	over := make(chan struct{})
	storage.Register(scheme, func(context.Context, *url.URL) (storage.Bucket, error) {
		begun <- struct{}{}
		<-free
		return stuckBucket{memstore.New(), over}, nil
	})
	kept, closeKept := storage.KeepOpen(t.Context())
	ctx, cancel := context.WithCancelCause(kept)
	read := make(chan error, 1)
	go func() {
		for _, err := range storage.Lines(ctx, storage.Split{URL: scheme + "://b", Key: "k", Len: 1, Size: 1}) {
			read <- err
		}
	}()
	<-begun
	if err := readTally(kept, newHost(), func() {}); err != nil {
		t.Error("of another bucket:", err)
	}
	tired := errors.New("tired of it")
	cancel(tired)
	if err := <-read; !errors.Is(err, tired) {
		t.Error(err)
	}
	if err := closeKept(); err != nil {
		t.Error(err)
	}
	close(free)
	<-over // it opens at last, for nobody
}

type stuckBucket struct {
	*memstore.Bucket
	over chan struct{}
}

func (b stuckBucket) Close() error {
	memstore.Delete(b.Name())
	close(b.over)
	return nil
}

// TestKeepOpenFolder: a folder that is deleted and made anew is another, and read as such.
func TestKeepOpenFolder(t *testing.T) {
	t.Parallel()
	ctx, closeKept := storage.KeepOpen(t.Context())
	dir := t.TempDir() + "/in"
	for _, want := range []string{"first", "other"} {
		if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700), os.WriteFile(dir+"/k", []byte(want), 0o600)); err != nil {
			t.Fatal(err)
		}
		for line, err := range storage.Lines(ctx, storage.Split{URL: "file://" + dir, Key: "k", Len: 5, Size: 5}) {
			if err != nil || string(line) != want {
				t.Errorf("%q, %v, want %q", line, err, want)
			}
		}
	}
	if err := closeKept(); err != nil {
		t.Error(err)
	}
}
