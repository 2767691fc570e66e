package azurefunctions_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/azurefunctions"
	"github.com/gowren/gowren/internal/servers/azfunc"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/storagetest"
)

// It prints a line, which is the first of its reply, and goes on until it is told to stop. Then it leaves a file.
var endless = mapper.Func("azurefunctions.endless", func(ctx context.Context, stopped string) (int, error) {
	fmt.Println("begun")
	<-ctx.Done()
	return 0, os.WriteFile(stopped, nil, 0o600)
})

// words are the keys by which invocations are told to stop.
func words(t *testing.T, b storage.Bucket) (keys []string) {
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
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
	bucket := folder(t)
	ex, err := mapper.New(t.Context(), open(t, config(s)), bucket, mapper.Options{Quiet: true, Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer ex.Close()
	s.Faults.Orphaned.Store(1)
	stopped := t.TempDir() + "/stopped"
	if _, err := mapper.Call(t.Context(), ex, endless, stopped); !errors.As(err, new(*backends.LostError)) {
		t.Fatalf("the connection broke: %v", err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(stopped); err == nil && len(words(t, bucket)) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it goes on; words: %v", words(t, bucket))
		}
	}
}

// TestWordsOfEnds: who never began, or has told its end, is not told to stop; who may run on is, and Close waits for it.
func TestWordsOfEnds(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
	bucket, f := storagetest.Faults(folder(t), storagetest.Rule{Op: "put", Key: "canceled/*", Delay: 200 * time.Millisecond}), &s.Faults
	for _, c := range []struct {
		faults []*atomic.Int32
		want   int
	}{{[]*atomic.Int32{&f.Throttled, &f.Full, &f.Unavailable}, 0}, {[]*atomic.Int32{&f.Lost, &f.Reset}, 2}} {
		b := open(t, config(s))
		if err := b.Prepare(t.Context(), backends.Deployment{Program: program, Bucket: bucket}); err != nil {
			t.Fatal(err)
		}
		for _, fault := range c.faults {
			fault.Store(1)
			reply, err := b.Invoke(t.Context(), backends.Request{Body: []byte("x")})
			if err == nil {
				_, err = io.Copy(io.Discard, reply)
				if closed := reply.Close(); closed != nil {
					t.Error(closed)
				}
			}
			if err == nil || fault.Load() != 0 {
				t.Errorf("the fault met no invocation: %v", err)
			}
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if got := words(t, bucket); len(got) != c.want {
			t.Errorf("%d words are wanted: %v", c.want, got)
		}
	}
}
