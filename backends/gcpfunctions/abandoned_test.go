package gcpfunctions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/servers/gcf"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/serialize"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/storagetest"
)

// It prints a line, which is the first of its reply, and goes on until it is cancelled. Then it leaves a file.
var _ = mapper.Func("gcpfunctions/endless", func(ctx context.Context, stopped string) (int, error) {
	fmt.Println("begun")
	<-ctx.Done()
	return 0, os.WriteFile(stopped, nil, 0o600)
})

// cancelled are the keys by which invocations are told to stop.
func cancelled(t *testing.T, b storage.Bucket) (keys []string) {
	t.Helper()
	for o, err := range b.List(t.Context(), "canceled/") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// TestAbandonedWorkIsStopped: of an invocation whose connection broke nobody takes the results, and it does not go on.
func TestAbandonedWorkIsStopped(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	on := bucket(t)
	b := newBackend(t, config(s))
	if err := prepare(t, b, on); err != nil {
		t.Fatal(err)
	}
	stopped := t.TempDir() + "/stopped"
	data, err := serialize.Marshal(stopped)
	if err != nil {
		t.Fatal(err)
	}
	const name = "gcpfunctions/endless"
	r := wire.Request{
		Job: "raw", Function: name, Types: registry.Find(name).Types, Inline: 1 << 20, Prefix: "jobs/raw",
		Tasks: []wire.Task{{Index: 0, Attempt: 1, Data: data}},
	}
	s.Inject(gcf.Reset)
	reply, err := b.Invoke(t.Context(), backends.Request{Body: wire.AppendRequest(nil, &r)})
	if err == nil {
		_, err = io.Copy(io.Discard, reply)
		if closed := reply.Close(); closed != nil {
			t.Error(closed)
		}
	}
	if !errors.As(err, new(*backends.LostError)) {
		t.Fatalf("the connection broke: %v", err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(stopped); err == nil && len(cancelled(t, on)) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it goes on; words: %v", cancelled(t, on))
		}
	}
}

// TestWordsOfEnds: who never began, or has told its end, is not told to stop; who may run on is, and Close waits for it.
func TestWordsOfEnds(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	on := bucket(t)
	b := newBackend(t, config(s))
	if err := prepare(t, b, on); err != nil {
		t.Fatal(err)
	}
	for _, fault := range []gcf.Fault{gcf.None, gcf.Throttled, gcf.Unavailable} {
		s.Inject(fault)
		_ = outcome(t, b) // TestFaults looks at it
	}
	b.words.Wait()
	if got := cancelled(t, on); len(got) != 0 {
		t.Errorf("words to those that have ended: %v", got)
	}
	s.Inject(gcf.Killed, gcf.Lost)
	for range 2 {
		_ = outcome(t, b)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if got := cancelled(t, on); len(got) != 2 {
		t.Errorf("words to two of which nothing was heard: %v", got)
	}
}

// TestWordAfterNextPrepare: the word is left in the bucket of its invocation, whatever is prepared meanwhile, and though the
// store is out of order at first.
func TestWordAfterNextPrepare(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	on := bucket(t)
	b := newBackend(t, config(s))
	word := storagetest.Rule{Op: "put", Key: "canceled/*", Before: errors.New("the store is out of order")}
	once := word
	once.Nth = 1
	if err := prepare(t, b, storagetest.Faults(on, once)); err != nil {
		t.Fatal(err)
	}
	s.Inject(gcf.Lost)
	if err := outcome(t, b); !errors.As(err, new(*backends.LostError)) {
		t.Fatalf("the reply was lost: %v", err)
	}
	if err := prepare(t, b, storagetest.Faults(on, word)); err != nil {
		t.Fatal(err)
	}
	b.words.Wait()
	if got := cancelled(t, on); len(got) != 1 {
		t.Errorf("words: %v, want one", got)
	}
}
