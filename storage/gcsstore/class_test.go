package gcsstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
)

// says is an error as the JSON API writes it.
func says(code int, reason, message string) string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"errors":[{"message":%q,"domain":"global","reason":%q}]}}`,
		code, message, message, reason)
}

// operations are all that a bucket does with the key k.
func operations(b storage.Bucket) map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"get":    func(ctx context.Context) error { _, err := get(ctx, b, "k"); return err },
		"put":    func(ctx context.Context) error { return b.Put(ctx, "k", strings.NewReader("x")) },
		"putnew": func(ctx context.Context) error { return b.PutNew(ctx, "k", strings.NewReader("x")) },
		"stat":   func(ctx context.Context) error { _, err := b.Stat(ctx, "k"); return err },
		"delete": func(ctx context.Context) error { return b.Delete(ctx, "k") },
		"list": func(ctx context.Context) error {
			for _, err := range b.List(ctx, "k") {
				return err
			}
			return nil
		},
	}
}

var classes = []error{
	fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, storage.ErrThrottled, storage.ErrChanged, storage.ErrDamaged,
	context.Canceled, context.DeadlineExceeded,
}

// TestClasses has every answer that the service documents, to each operation.
func TestClasses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   error // nil: an error of no class
		words  string
		except map[string]error // by operation
	}{
		"busy":        {503, unavailable, nil, "503: Backend Error", nil},
		"broken":      {500, says(500, "internalError", "We encountered an internal error."), nil, "500: We encountered", nil},
		"gateway":     {502, "<html><body>\n<h1>502</h1>\n</body></html>", nil, "502: <html><body> <h1>502</h1>", nil},
		"too many":    {429, says(429, "rateLimitExceeded", "The rate of change requests to the object exceeds the limit"), storage.ErrThrottled, "rate of change", nil},
		"rate of old": {403, says(403, "userRateLimitExceeded", "User Rate Limit Exceeded"), storage.ErrThrottled, "Rate Limit", nil},
		"forbidden": {
			403, says(403, "forbidden", "w@p.iam.gserviceaccount.com does not have storage.objects.get access"), fs.ErrPermission,
			"Storage Object User", nil,
		},
		"expired":   {401, says(401, "authError", "Invalid Credentials"), fs.ErrPermission, "have expired: renew them", nil},
		"payer":     {400, says(400, "required", "Bucket is a requester pays bucket but no user project provided."), fs.ErrPermission, "parameter project", nil},
		"checksum":  {400, says(400, "invalid", `Provided CRC32C "AAAAAA==" doesn't match calculated CRC32C "x".`), nil, "CRC32C", nil},
		"no object": {404, says(404, "notFound", "No such object: b/k"), fs.ErrNotExist, "", map[string]error{"delete": errNone}},
		"no bucket": {404, says(404, "notFound", "The specified bucket does not exist."), fs.ErrNotExist, "there is no such bucket", nil},
		"taken": {
			412, says(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."), nil, "",
			map[string]error{"putnew": fs.ErrExist},
		},
		"moved": {302, "", nil, "302: Found", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stub := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Location", "http://127.0.0.1:1/")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			b := openAt(t, stub, "bucket")
			for op, do := range operations(b) {
				want := c.want
				if special, ok := c.except[op]; ok {
					want = special
				}
				err := do(t.Context())
				if want == errNone {
					if err != nil {
						t.Errorf("%s: %v", op, err)
					}
					continue
				}
				var e *storage.Error
				if !errors.As(err, &e) || e.Op != op || e.Key != "k" || e.URL != b.URL() || !strings.Contains(err.Error(), c.words) {
					t.Errorf("%s: %v, which does not say %q", op, err, c.words)
				}
				for _, class := range classes {
					if errors.Is(err, class) != (class == want) {
						t.Errorf("%s: %v: is it %v? want %v", op, err, class, want)
					}
				}
			}
		})
	}
}

var errNone = errors.New("none")

// TestNoServer has nobody listen.
func TestNoServer(t *testing.T) {
	t.Parallel()
	b := openAt(t, "http://127.0.0.1:1", "bucket")
	for op, do := range operations(b) {
		err := do(t.Context())
		if err == nil || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "127.0.0.1:1/") {
			t.Errorf("%s: %v", op, err)
		}
		for _, class := range classes {
			if errors.Is(err, class) {
				t.Errorf("%s: %v is %v", op, err, class)
			}
		}
	}
}

// TestMissingBucket asks the real server, which does not say whether the object or the bucket is missing.
func TestMissingBucket(t *testing.T) {
	t.Parallel()
	endpoint := servers.GCS(t).Endpoint
	for op := range operations(nil) {
		b := openAt(t, endpoint, "no-such-bucket")
		for range 2 {
			err := operations(b)[op](t.Context())
			if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "there is no such bucket") {
				t.Errorf("%s: %v", op, err)
			}
		}
	}
	// Where the bucket is there, that is asked once.
	b := fresh(t)
	for range 3 {
		if err := b.Delete(t.Context(), "k", "l", "m"); err != nil {
			t.Error(err)
		}
		if _, err := b.Stat(t.Context(), "k"); !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "bucket: make") {
			t.Error(err)
		}
	}
	if n := asked(b, storage.KindList); n > 3 { // the first deletes are under way together
		t.Errorf("%d listings", n)
	}
}
