package supervisor

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/storage/filestore"
)

// TestStored stores replies, in memory and beyond it, and awaits them: the first one stays.
func TestStored(t *testing.T) {
	t.Parallel()
	b, err := filestore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s := New(Config{Bucket: b.URL()})
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for key, text := range map[string]string{"small": "a reply", "large": strings.Repeat("a long reply", 100)} {
		spool := NewSpool(100)
		for piece := range strings.SplitSeq(text, " ") {
			if _, err := io.WriteString(spool, piece+" "); err != nil {
				t.Fatal(err)
			}
		}
		if _, inMemory := spool.Bytes(); inMemory != (key == "small") {
			t.Errorf("%s: in memory %t", key, inMemory)
		}
		time.AfterFunc(20*time.Millisecond, func() {
			for range 2 { // it can be stored again, which changes nothing
				if err := s.StoreReply(context.Background(), key, spool); err != nil {
					t.Error(err)
				}
			}
			other := NewSpool(100)
			_, _ = io.WriteString(other, "another delivery") // into memory
			if err := s.StoreReply(context.Background(), key, other); err != nil {
				t.Error(err)
			}
			if err := spool.Close(); err != nil {
				t.Error(err)
			}
			if err := b.Put(context.Background(), "stored "+key, strings.NewReader("")); err != nil {
				t.Error(err)
			}
		})
		r, err := AwaitReply(t.Context(), b, key, time.Minute, make(Looks, 1))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil || string(got) != text+" " {
			t.Errorf("%s: %d bytes, %v", key, len(got), err)
		}
		r, err = AwaitReply(t.Context(), b, "stored "+key, time.Minute, make(Looks, 1))
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		if body, err := s.FetchRequest(t.Context(), key); err != nil || string(body) != text+" " {
			t.Errorf("%s: fetched %d bytes, %v", key, len(body), err)
		}
	}
	if _, err := AwaitReply(t.Context(), b, "missing", time.Millisecond, make(Looks, 1)); err == nil || !strings.Contains(err.Error(), "no reply came") {
		t.Errorf("a reply that does not come: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := AwaitReply(ctx, b, "missing", time.Minute, make(Looks, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled wait: %v", err)
	}
}
