package gcsstore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
)

// unavailable is what the service says when it is overloaded.
const unavailable = `{"error":{"code":503,"message":"Backend Error","errors":[{"message":"Backend Error","domain":"global","reason":"backendError"}]}}`

// data are n bytes of which each place shows where it is.
func data(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8) ^ byte(i>>16)*31
	}
	return b
}

// proxied opens a bucket of its own through a proxy, and the same without.
func proxied(t *testing.T) (b, direct *Bucket, p *servers.Proxy) {
	t.Helper()
	server := servers.GCS(t)
	p = servers.NewProxy(t, server.Endpoint)
	name := newName(t, server)
	b, direct = openAt(t, p.URL, name), openAt(t, server.Endpoint, name)
	b.part, direct.part = smallPart, smallPart
	return b, direct, p
}

func get(ctx context.Context, b storage.Bucket, key string) ([]byte, error) {
	r, err := b.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// wantBytes checks what is stored.
func wantBytes(t *testing.T, b storage.Bucket, key string, want []byte) {
	t.Helper()
	got, err := get(t.Context(), b, key)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s holds %d bytes, %v, want other %d", key, len(got), err, len(want))
	}
}

// retried is b as a program has it.
func retried(b storage.Bucket) storage.Bucket {
	return storage.Retry(b, storage.RetryPolicy{Base: time.Millisecond})
}

// stream hides that data can be set back, and how long they are.
func stream(b []byte) io.Reader { return io.MultiReader(bytes.NewReader(b)) }

var (
	single = regexp.MustCompile(`uploadType=multipart`)
	begun  = regexp.MustCompile(`uploadType=resumable$`)
	parts  = regexp.MustCompile(`upload_id=`)
	media  = regexp.MustCompile(`alt=media`)
)

// smallPart keeps large objects small: the server has them in memory, and sums all that it has with each part.
const smallPart = 512 << 10

const (
	small = 100_000
	large = 2*smallPart + 12_345
)

// TestPutFaults has one fault on the way up, which the SDK or storage.Retry gets over.
func TestPutFaults(t *testing.T) {
	t.Parallel()
	busy := servers.Rule{Fault: servers.Answer, Status: 503, Body: unavailable}
	for name, c := range map[string]struct {
		size int
		url  *regexp.Regexp
		nth  int
		rule servers.Rule
		sdk  bool // the SDK gets over it, in Put
		new  bool // and in PutNew
	}{
		"single, busy":       {small, single, 1, busy, true, false},
		"single, reset":      {small, single, 1, servers.Rule{Fault: servers.Reset}, true, false},
		"single, lost reply": {small, single, 1, servers.Rule{Fault: servers.Lose}, true, false},
		"single, flipped":    {small, single, 1, servers.Rule{Fault: servers.FlipRequest, At: 50_000}, false, false},
		"start, busy":        {large, begun, 1, busy, true, true},
		"start, reset":       {large, begun, 1, servers.Rule{Fault: servers.Reset}, true, true},
		"part, busy":         {large, parts, 2, busy, true, true},
		"part, reset":        {large, parts, 1, servers.Rule{Fault: servers.Reset}, true, true},
		// The real service knows the part for one that it has. This server stores it twice, which is found and undone.
		"part, no reply":      {large, parts, 1, servers.Rule{Fault: servers.Lose}, false, false},
		"part, flipped":       {large, parts, 2, servers.Rule{Fault: servers.FlipRequest, At: 50_000}, false, false},
		"last part, busy":     {large, parts, 3, busy, true, false},
		"last part, reset":    {large, parts, 3, servers.Rule{Fault: servers.Reset}, true, false},
		"last part, flipped":  {large, parts, 3, servers.Rule{Fault: servers.FlipRequest, At: 5_000}, false, false},
		"last part, no reply": {large, parts, 3, servers.Rule{Fault: servers.Lose}, false, false},
	} {
		for _, op := range []string{"put", "putnew"} {
			t.Run(name+", "+op, func(t *testing.T) {
				t.Parallel()
				b, direct, p := proxied(t)
				rule := c.rule
				rule.URL, rule.Nth = c.url, c.nth
				put := func(b storage.Bucket, key string, r io.Reader) error {
					p.Set(rule)
					if op == "put" {
						return b.Put(t.Context(), key, r)
					}
					return b.PutNew(t.Context(), key, r)
				}
				want := data(c.size)
				err := put(b, "bare", stream(want))
				if ok := op == "put" && c.sdk || op == "putnew" && c.new; (err == nil) != ok {
					t.Errorf("without Retry: %v, want success: %v", err, ok)
				}
				for _, final := range []error{fs.ErrExist, fs.ErrNotExist, fs.ErrInvalid, fs.ErrPermission, storage.ErrThrottled} {
					if errors.Is(err, final) {
						t.Errorf("without Retry: %v is %v", err, final)
					}
				}
				if err == nil {
					wantBytes(t, direct, "bare", want)
				} else if got, e := get(t.Context(), direct, "bare"); e == nil && !bytes.Equal(got, want) {
					t.Error("wrong bytes stay under the key")
				}
				if err := put(retried(b), "k", bytes.NewReader(want)); err != nil {
					t.Errorf("with Retry: %v", err)
				}
				wantBytes(t, direct, "k", want)
			})
		}
	}
}

// TestPutNewCommitsOnce counts the requests that could make the object.
func TestPutNewCommitsOnce(t *testing.T) {
	t.Parallel()
	for _, fault := range []servers.Rule{
		{Fault: servers.Answer, Status: 503, Body: unavailable}, {Fault: servers.Reset}, {Fault: servers.Lose}, {Fault: servers.Cut},
	} {
		b, direct, p := proxied(t)
		fault.URL = single
		p.Set(fault)
		err := b.PutNew(t.Context(), "k", bytes.NewReader(data(small)))
		if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, storage.ErrThrottled) || asked(b, storage.KindPut) != 1 || b.Stats().Retries != 0 {
			t.Errorf("%v, after %+v", err, b.Stats())
		}
		// An object that is another's is found to be one.
		if err := direct.Put(t.Context(), "other", strings.NewReader("other")); err != nil {
			t.Fatal(err)
		}
		fault.Nth = 1
		p.Set(fault)
		if err := retried(b).PutNew(t.Context(), "other", strings.NewReader("mine")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("another's object: %v", err)
		}
	}
}

// TestGetFaults has faults on the way down.
func TestGetFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule servers.Rule
		want error
	}{
		"busy":         {servers.Rule{Nth: 1, Fault: servers.Answer, Status: 503, Body: unavailable}, nil},
		"reset":        {servers.Rule{Nth: 1, Fault: servers.Reset}, nil},
		"cut":          {servers.Rule{Nth: 1, Fault: servers.Cut, At: 70_000}, nil},
		"cut at once":  {servers.Rule{Nth: 1, Fault: servers.Cut}, nil},
		"cut each":     {servers.Rule{Fault: servers.Cut, At: 60_000}, nil},
		"flipped":      {servers.Rule{Nth: 1, Fault: servers.FlipAnswer, At: 70_000}, storage.ErrDamaged},
		"always reset": {servers.Rule{Fault: servers.Reset}, errAny},
	} {
		for _, size := range []int{small, large} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b, direct, p := proxied(t)
				want := data(size)
				if err := direct.Put(t.Context(), "k", bytes.NewReader(want)); err != nil {
					t.Fatal(err)
				}
				rule := c.rule
				rule.URL = media
				for _, b := range []storage.Bucket{b, retried(b)} {
					p.Set(rule)
					got, err := get(t.Context(), b, "k")
					if c.want == errAny && err != nil {
						continue
					}
					if !errors.Is(err, c.want) || c.want == nil && (err != nil || !bytes.Equal(got, want)) {
						t.Errorf("%d bytes, %v, want %d, %v", len(got), err, size, c.want)
					}
				}
			})
		}
	}
}

var errAny = errors.New("any error")

// TestGetLaterPartFaults has a fault in a part that is fetched ahead.
func TestGetLaterPartFaults(t *testing.T) {
	t.Parallel()
	b, direct, p := proxied(t)
	want := data(large)
	if err := direct.Put(t.Context(), "k", bytes.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule servers.Rule
		want error
	}{
		{servers.Rule{Nth: 2, Fault: servers.Answer, Status: 503, Body: unavailable}, nil},
		{servers.Rule{Nth: 3, Fault: servers.Cut, At: 5000}, nil},
		{servers.Rule{Nth: 2, Fault: servers.FlipAnswer, At: 5000}, storage.ErrDamaged},
		{servers.Rule{Nth: 2, Fault: servers.Answer, Status: 403}, fs.ErrPermission},
		{servers.Rule{Nth: 3, Fault: servers.Answer, Status: 404}, storage.ErrChanged},
	} {
		c.rule.URL = media
		p.Set(c.rule)
		got, err := get(t.Context(), b, "k")
		if !errors.Is(err, c.want) || c.want == nil && (err != nil || !bytes.Equal(got, want)) {
			t.Errorf("%+v: %d bytes, %v, want %v", c.rule, len(got), err, c.want)
		}
	}
}

// TestStall has a store that stops in the middle, which ends with the context, and leaves nothing.
func TestStall(t *testing.T) {
	t.Parallel()
	b, direct, p := proxied(t)
	if err := direct.Put(t.Context(), "k", bytes.NewReader(data(large))); err != nil {
		t.Fatal(err)
	}
	stall := servers.Rule{Fault: servers.Stall}
	amid := servers.Rule{Fault: servers.StallAt, At: 1000}
	later := servers.Rule{Nth: 3, Fault: servers.StallAt, At: 1000, URL: media}
	for name, c := range map[string]struct {
		rule servers.Rule
		do   func(ctx context.Context) error
	}{
		"put":            {stall, func(ctx context.Context) error { return b.Put(ctx, "new", strings.NewReader("x")) }},
		"putnew":         {stall, func(ctx context.Context) error { return b.PutNew(ctx, "new", strings.NewReader("x")) }},
		"put, amid":      {servers.Rule{Nth: 3, Fault: servers.Stall}, func(ctx context.Context) error { return b.Put(ctx, "new", bytes.NewReader(data(large))) }},
		"get":            {stall, func(ctx context.Context) error { _, err := get(ctx, b, "k"); return err }},
		"get, amid":      {amid, func(ctx context.Context) error { _, err := get(ctx, b, "k"); return err }},
		"get, last part": {later, func(ctx context.Context) error { _, err := get(ctx, b, "k"); return err }},
		"stat":           {stall, func(ctx context.Context) error { _, err := b.Stat(ctx, "k"); return err }},
		"delete":         {stall, func(ctx context.Context) error { return b.Delete(ctx, "k", "l", "m") }},
		"list": {stall, func(ctx context.Context) error {
			for _, err := range b.List(ctx, "") {
				return err
			}
			return nil
		}},
	} {
		p.Set(c.rule)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		if err := c.do(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		if _, err := direct.Stat(t.Context(), "new"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s leaves an object: %v", name, err)
		}
	}
}

// TestReplaced has the object replaced while it is read.
func TestReplaced(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	b.part = smallPart
	old, other := data(20*smallPart), bytes.Repeat([]byte("x"), 20*smallPart)
	// Parts that were asked for before are the old object's; those after are not to be had.
	for name, b := range map[string]storage.Bucket{"bare": b, "retried": retried(b)} {
		if err := b.Put(t.Context(), "k", bytes.NewReader(old)); err != nil {
			t.Fatal(err)
		}
		r, err := b.Get(t.Context(), "k", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 1000)
		if _, err := io.ReadFull(r, head); err != nil {
			t.Fatal(err)
		}
		if err := b.Put(t.Context(), "k", bytes.NewReader(other)); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(r)
		if !errors.Is(err, storage.ErrChanged) || !bytes.HasPrefix(old, append(head, rest...)) {
			t.Errorf("%s: after %d bytes: %v", name, len(rest), err)
		}
		r.Close()
	}
}

// TestCutForEver has a server whose connections break before the first byte, which the SDK alone would never give up.
func TestCutForEver(t *testing.T) {
	t.Parallel()
	stub := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.Header().Set("Content-Range", "bytes 0-999/1000")
		w.Header().Set("X-Goog-Generation", "1")
		w.WriteHeader(http.StatusPartialContent)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	b := openAt(t, stub, "bucket")
	_, err := get(t.Context(), b, "k")
	if !strings.Contains(err.Error(), "breaks before") || asked(b, storage.KindGet) != attempts {
		t.Errorf("%v after %+v", err, b.Stats())
	}
}

// TestAnswerWithoutSum has a server that sends no checksum along with the bytes: it is asked for one.
func TestAnswerWithoutSum(t *testing.T) {
	t.Parallel()
	for sum, want := range map[string]error{"yZRlqg==": nil, "AAAAAQ==": storage.ErrDamaged} {
		stub := newStub(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("alt") != "media" {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"name":"k","size":"11","generation":"7","crc32c":"` + sum + `"}`))
				return
			}
			w.Header().Set("Content-Range", "bytes 0-10/11")
			w.Header().Set("X-Goog-Generation", "7")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write([]byte("hello world"))
		})
		b := openAt(t, stub, "bucket")
		got, err := get(t.Context(), b, "k")
		if string(got) != "hello world" || !errors.Is(err, want) || asked(b, storage.KindStat) != 1 {
			t.Errorf("%q, %v, want %v", got, err, want)
		}
	}
}

// TestDecompressed has something between that decompresses, so that offsets are no longer those of the object.
func TestDecompressed(t *testing.T) {
	t.Parallel()
	stub := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Goog-Stored-Content-Encoding", "gzip")
		w.Header().Set("X-Goog-Generation", "7")
		_, _ = w.Write([]byte("hello world"))
	})
	b := openAt(t, stub, "bucket")
	if got, err := get(t.Context(), b, "k"); !strings.Contains(err.Error(), errDecoded.Error()) || asked(b, storage.KindGet) != 1 {
		t.Errorf("%q, %v", got, err)
	}
}
