package s3store_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/s3store"
)

// behind returns a bucket by way of a proxy, and the same one straight.
func behind(t *testing.T) (p *servers.Proxy, through, straight storage.Bucket, name string) {
	t.Helper()
	s := server(t)
	p = servers.NewProxy(t, s.Endpoint)
	name, rawURL := newBucket(t, s, s.Endpoint)
	return p, open(t, strings.Replace(rawURL, escaped(s.Endpoint), escaped(p.URL), 1)), open(t, rawURL), name
}

func escaped(endpoint string) string {
	return strings.NewReplacer(":", "%3A", "/", "%2F").Replace(endpoint)
}

func retried(b storage.Bucket) storage.Bucket {
	return storage.Retry(b, storage.RetryPolicy{Base: time.Millisecond})
}

// answer is a fault: the store's own words.
func answer(status int, code string) servers.Rule {
	return servers.Rule{
		Fault: servers.Answer, Status: status, Header: http.Header{"Content-Type": {"application/xml"}},
		Body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>` + code + `</Code><Message>as told</Message></Error>`,
	}
}

func on(method, url string, nth int, r servers.Rule) servers.Rule {
	r.Method, r.Nth = method, nth
	if url != "" {
		r.URL = regexp.MustCompile(url)
	}
	return r
}

// text is n bytes, of at most 2*long, that are no two times alike.
func text(n int) string { return allText()[:n] }

var allText = sync.OnceValue(func() string {
	p := make([]byte, 2*long)
	_, _ = rand.NewChaCha8([32]byte{}).Read(p) // never fails
	return string(p)
})

func get(ctx context.Context, b storage.Bucket, key string) (string, error) {
	r, err := b.Get(ctx, key, 0, -1)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

func stats(b storage.Bucket) storage.Stats {
	s, _ := storage.StatsOf(b)
	return s
}

const (
	short = 5000
	long  = 2*s3store.PartSize + 12345
)

// TestFaultsOnce breaks one request of an operation. The right bytes come all the same, without a retry by us.
func TestFaultsOnce(t *testing.T) {
	t.Parallel()
	slow := answer(503, "SlowDown")
	reset, lose := servers.Rule{Fault: servers.Reset}, servers.Rule{Fault: servers.Lose}
	flip := func(fault servers.Fault, at int64) servers.Rule { return servers.Rule{Fault: fault, At: at} }
	for name, c := range map[string]struct {
		rule servers.Rule
		size int
	}{
		"put slow":            {on("PUT", "", 1, slow), short},
		"put reset":           {on("PUT", "", 1, reset), short},
		"put lost":            {on("PUT", "", 1, lose), short},
		"put flip":            {on("PUT", "", 1, flip(servers.FlipRequest, 4321)), short},
		"create slow":         {on("POST", "uploads", 1, slow), long},
		"part slow":           {on("PUT", "partNumber=2", 1, slow), long},
		"part reset":          {on("PUT", "partNumber=1", 1, reset), long},
		"part lost":           {on("PUT", "partNumber=3", 1, lose), long},
		"part flip":           {on("PUT", "partNumber=2", 1, flip(servers.FlipRequest, 54321)), long},
		"complete slow":       {on("POST", "uploadId", 1, slow), long},
		"complete lost":       {on("POST", "uploadId", 1, lose), long},
		"get slow":            {on("GET", "", 1, slow), short},
		"get reset":           {on("GET", "", 1, reset), short},
		"get cut":             {on("GET", "", 1, flip(servers.Cut, 1000)), short},
		"get cut at its end":  {on("GET", "", 1, flip(servers.Cut, short-1)), short},
		"get flip":            {on("GET", "", 1, flip(servers.FlipAnswer, 4321)), short},
		"first range cut":     {on("GET", "", 1, flip(servers.Cut, 54321)), long},
		"second range slow":   {on("GET", "", 2, slow), long},
		"second range reset":  {on("GET", "", 2, reset), long},
		"second range cut":    {on("GET", "", 2, flip(servers.Cut, 4321)), long},
		"head of large reset": {on("HEAD", "", 1, reset), long},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, b, straight, _ := behind(t)
			p.Set(c.rule)
			want := text(c.size)
			if err := b.Put(t.Context(), "a key", strings.NewReader(want)); err != nil {
				t.Fatal(err)
			}
			if got, err := get(t.Context(), b, "a key"); got != want || err != nil {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if got, err := get(t.Context(), straight, "a key"); got != want || err != nil {
				t.Errorf("stored: %d bytes, %v", len(got), err)
			}
			// A GET that meets a dead connection is sent again by net/http already.
			if !strings.HasSuffix(name, "reset") && stats(b).Retries == 0 {
				t.Errorf("nothing was broken: %+v", stats(b))
			}
		})
	}
}

// TestFaultsForever breaks each request of a kind. The error is of its kind, and nothing is left.
func TestFaultsForever(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule servers.Rule
		size int
		want error // nil: none of the known kinds
	}{
		"put slow":       {on("PUT", "", 0, answer(503, "SlowDown")), short, storage.ErrThrottled},
		"put limit":      {on("PUT", "", 0, answer(503, "RequestLimitExceeded")), short, storage.ErrThrottled},
		"put 429":        {on("PUT", "", 0, answer(429, "Busy")), short, storage.ErrThrottled},
		"put 500":        {on("PUT", "", 0, answer(500, "InternalError")), short, nil},
		"put flip":       {on("PUT", "", 0, servers.Rule{Fault: servers.FlipRequest, At: 99}), short, nil},
		"part slow":      {on("PUT", "partNumber=2", 0, answer(503, "SlowDown")), long, storage.ErrThrottled},
		"part flip":      {on("PUT", "partNumber=2", 0, servers.Rule{Fault: servers.FlipRequest, At: 99}), long, nil},
		"complete":       {on("POST", "uploadId", 0, answer(500, "InternalError")), long, nil},
		"get slow":       {on("GET", "", 0, answer(503, "SlowDown")), short, storage.ErrThrottled},
		"get flip":       {on("GET", "", 0, servers.Rule{Fault: servers.FlipAnswer, At: 99}), short, storage.ErrDamaged},
		"get cut":        {on("GET", "", 0, servers.Rule{Fault: servers.Cut, At: 99}), short, io.ErrUnexpectedEOF},
		"get flip large": {on("GET", "", 2, servers.Rule{Fault: servers.FlipAnswer, At: 99}), long, storage.ErrDamaged},
		"get cut large":  {on("GET", "", 0, servers.Rule{Fault: servers.Cut, At: 99}), long, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, b, straight, bucket := behind(t)
			p.Set(c.rule)
			want := text(c.size)
			var err error
			if c.rule.Method == "GET" {
				if err := straight.Put(t.Context(), "k", strings.NewReader(want)); err != nil {
					t.Fatal(err)
				}
				_, err = get(t.Context(), b, "k")
			} else {
				err = b.Put(t.Context(), "k", strings.NewReader(want))
				if _, err := straight.Stat(t.Context(), "k"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("the object is there: %v", err)
				}
				noUploads(t, bucket)
			}
			told(t, err)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			for _, kind := range []error{
				fs.ErrExist, fs.ErrNotExist, fs.ErrPermission, fs.ErrInvalid, storage.ErrThrottled, storage.ErrChanged, storage.ErrDamaged,
			} {
				if kind != c.want && errors.Is(err, kind) {
					t.Errorf("error %v is %v", err, kind)
				}
			}
		})
	}
}

// noUploads checks that no upload in parts is left.
func noUploads(t *testing.T, bucket string) {
	t.Helper()
	left, err := client(servers.S3(t)).ListMultipartUploads(context.Background(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
	if err != nil || len(left.Uploads) > 0 {
		t.Errorf("%d uploads are left, %v", len(left.Uploads), err)
	}
}

// told checks that an error is one of package storage's, and says nothing that is secret.
func told(t *testing.T, err error) {
	t.Helper()
	if e := new(storage.Error); !errors.As(err, &e) {
		t.Errorf("error %v is no *storage.Error", err)
		return
	}
	s := servers.S3(t)
	for _, secret := range []string{s.SecretKey, s.AccessKey, "Signature=", "wrong-key", "wrong-secret", "a-session-token"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error holds %q: %v", secret, err)
		}
	}
}

// TestPutNewOnce holds that a commit is sent once, so that an unknown outcome stays unknown, and that storage.Retry finds
// it out.
func TestPutNewOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule servers.Rule
		size int
		bare error // of the bucket without retries; nil: it succeeds
	}{
		"put lost":          {on("PUT", "", 1, servers.Rule{Fault: servers.Lose}), short, errUnknown},
		"put reset":         {on("PUT", "", 1, servers.Rule{Fault: servers.Reset}), short, errUnknown},
		"put slow":          {on("PUT", "", 1, answer(503, "SlowDown")), short, storage.ErrThrottled},
		"put flip":          {on("PUT", "", 1, servers.Rule{Fault: servers.FlipRequest, At: 7}), short, errUnknown},
		"put 500":           {on("PUT", "", 1, answer(500, "InternalError")), short, errUnknown},
		"put conflict":      {on("PUT", "", 1, answer(409, "ConditionalRequestConflict")), short, nil},
		"complete lost":     {on("POST", "uploadId", 1, servers.Rule{Fault: servers.Lose}), long, errUnknown},
		"complete slow":     {on("POST", "uploadId", 1, answer(503, "SlowDown")), long, storage.ErrThrottled},
		"complete conflict": {on("POST", "uploadId", 1, answer(409, "ConditionalRequestConflict")), long, errUnknown},
		"part slow":         {on("PUT", "partNumber=2", 1, answer(503, "SlowDown")), long, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, b, straight, bucket := behind(t)
			want := text(c.size)
			p.Set(c.rule)
			err := b.PutNew(t.Context(), "bare", strings.NewReader(want))
			switch {
			case c.bare == nil && err != nil, c.bare != nil && err == nil,
				errors.Is(err, storage.ErrThrottled) != (c.bare == storage.ErrThrottled), errors.Is(err, fs.ErrExist):
				t.Errorf("error %v, want %v", err, c.bare)
			}
			p.Set(c.rule)
			if err := retried(b).PutNew(t.Context(), "retried", strings.NewReader(want)); err != nil {
				t.Errorf("with retries: %v", err)
			}
			if got, err := get(t.Context(), straight, "retried"); got != want || err != nil {
				t.Errorf("stored: %d bytes, %v", len(got), err)
			}
			err = retried(b).PutNew(t.Context(), "retried", strings.NewReader("other"))
			told(t, err)
			if !errors.Is(err, fs.ErrExist) {
				t.Errorf("a second time: %v", err)
			}
			noUploads(t, bucket)
		})
	}
}

var errUnknown = errors.New("an error of no known kind")

// TestIdleData has data that neither come nor end.
func TestIdleData(t *testing.T) {
	t.Parallel()
	b := fake(t, "", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the client may be gone
	})
	for name, size := range map[string]int64{"at once": 0, "after some": short, "after a part": s3store.PartSize} {
		before, idle := &stream{size: size}, 0
		data := reads(func(p []byte) (int, error) {
			if n, err := before.Read(p); err == nil {
				return n, nil
			}
			if idle++; idle > 1000 {
				return 0, io.EOF
			}
			return 0, nil
		})
		err := b.Put(t.Context(), "k", data)
		told(t, err)
		if !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	idle := 0
	data := reads(func(p []byte) (int, error) { // slow and sound
		idle++
		switch {
		case idle > 1000:
			return 0, io.EOF
		case idle%50 == 0:
			return 1, nil
		}
		return 0, nil
	})
	if err := b.Put(t.Context(), "k", data); err != nil {
		t.Errorf("with pauses: %v", err)
	}
}
