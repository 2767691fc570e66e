package s3store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/s3store"
)

// TestStall has the store fall silent. The context ends it, and nothing is left: not even an upload's parts, whose abort
// comes after that.
func TestStall(t *testing.T) {
	t.Parallel()
	stall := servers.Rule{Fault: servers.Stall}
	for name, c := range map[string]struct {
		rule servers.Rule
		size int
	}{
		"put":      {on("PUT", "", 0, stall), short},
		"part":     {on("PUT", "partNumber=3", 0, stall), long},
		"complete": {on("POST", "uploadId", 0, stall), long},
		"get":      {on("GET", "", 0, stall), short},
		"body":     {on("GET", "", 0, servers.Rule{Fault: servers.StallAt, At: 99}), short},
		"range":    {on("GET", "", 2, stall), long},
		"head":     {on("HEAD", "", 0, stall), long},
		"list":     {on("GET", "list-type", 0, stall), short},
		"delete":   {on("DELETE", "", 0, stall), short},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, b, straight, bucket := behind(t)
			p.Set(c.rule)
			want := text(c.size)
			if c.rule.Method != "PUT" && c.rule.Method != "POST" {
				if err := straight.Put(t.Context(), "k", strings.NewReader(want)); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			begin := time.Now()
			var err error
			switch {
			case name == "list":
				for _, err = range b.List(ctx, "") {
				}
			case name == "delete":
				err = b.Delete(ctx, "k")
			case c.rule.Method == "PUT" || c.rule.Method == "POST":
				err = b.Put(ctx, "k", strings.NewReader(want))
			default:
				_, err = get(ctx, b, "k")
			}
			told(t, err)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 20*time.Second {
				t.Errorf("error %v after %v", err, time.Since(begin))
			}
			if c.rule.Method == "PUT" || c.rule.Method == "POST" {
				p.Set() // a Complete that stalls is held by the proxy: the store never hears of it
				if _, err := straight.Stat(t.Context(), "k"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("the object is there: %v", err)
				}
				noUploads(t, bucket)
			}
		})
	}
}

// TestCancelUpload ends the context, or the data, in the middle of an upload in parts.
func TestCancelUpload(t *testing.T) {
	t.Parallel()
	broken := errors.New("the data broke")
	for name, fail := range map[string]func(cancel func()) error{
		"context":        func(cancel func()) error { cancel(); return nil },
		"data":           func(func()) error { return broken },
		"unexpected end": func(func()) error { return io.ErrUnexpectedEOF }, // the data's own, as of a cut gzip stream
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, b, _, bucket := behind(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var want error
			data := io.MultiReader(strings.NewReader(text(long)), reads(func([]byte) (int, error) {
				if want = fail(cancel); want != nil {
					return 0, want
				}
				want = context.Canceled
				return 1, nil
			}), strings.NewReader(text(long)))
			err := b.Put(ctx, "k", data)
			told(t, err)
			if !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
			if _, err := b.Stat(t.Context(), "k"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the object is there: %v", err)
			}
			noUploads(t, bucket)
		})
	}
}

type reads func(p []byte) (int, error)

func (r reads) Read(p []byte) (int, error) { return r(p) }

// TestChanged replaces a large object while it is read.
func TestChanged(t *testing.T) {
	t.Parallel()
	_, b, straight, _ := behind(t)
	for _, retry := range []bool{false, true} {
		if err := straight.Put(t.Context(), "k", strings.NewReader(text(2*long))); err != nil {
			t.Fatal(err)
		}
		from := b
		if retry {
			from = retried(b)
		}
		r, err := from.Get(t.Context(), "k", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if err := straight.Put(t.Context(), "k", bytes.NewReader(make([]byte, 2*long))); err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r)
		told(t, err)
		if !errors.Is(err, storage.ErrChanged) || n >= 2*long-1 {
			t.Errorf("%d bytes, then %v", n, err)
		}
		r.Close()
		if _, err := r.Read(make([]byte, 1)); err == nil {
			t.Error("a closed reader reads")
		}
	}
}

// TestPartRefused has the store refuse the parts. The rest of the data is not read for nothing.
func TestPartRefused(t *testing.T) {
	t.Parallel()
	b := fake(t, "", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the client may be gone
		switch r.Method {
		case http.MethodPost:
			_, _ = io.WriteString(w, `<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>`)
		case http.MethodPut:
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `<Error><Code>AccessDenied</Code></Error>`)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	data := &stream{size: 1 << 30}
	slow := reads(func(p []byte) (int, error) { // so that a buffer is free whenever one is asked for
		time.Sleep(time.Millisecond)
		return data.Read(p[:min(len(p), 1<<20)])
	})
	if err := b.Put(t.Context(), "k", slow); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v", err)
	}
	if most := int64(16 * s3store.PartSize); data.at > most { // 5 parts are those that go side by side, and the next
		t.Errorf("%d MiB of the data were read, more than %d", data.at>>20, most>>20)
	}
}
