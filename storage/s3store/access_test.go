package s3store_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
)

// all does each operation once, and returns the errors by name.
func all(ctx context.Context, b storage.Bucket) map[string]error {
	errs := map[string]error{
		"put":    b.Put(ctx, "k", strings.NewReader("x")),
		"putnew": b.PutNew(ctx, "k", strings.NewReader("x")),
		"large":  b.Put(ctx, "k", strings.NewReader(text(long))),
		"delete": b.Delete(ctx, "k"), "deletes": b.Delete(ctx, "k", "l"),
	}
	_, errs["get"] = b.Get(ctx, "k", 0, -1)
	_, errs["stat"] = b.Stat(ctx, "k")
	for _, err := range b.List(ctx, "") {
		errs["list"] = err
	}
	return errs
}

// TestMissingBucket has the error say which one it is.
func TestMissingBucket(t *testing.T) {
	t.Parallel()
	s := server(t)
	_, rawURL := newBucket(t, s, s.Endpoint)
	b := open(t, strings.Replace(rawURL, "s3://", "s3://no-", 1))
	for op, err := range all(t.Context(), b) {
		told(t, err)
		if !errors.Is(err, fs.ErrNotExist) || op != "stat" && !strings.Contains(err.Error(), "does not exist: make it") {
			t.Errorf("%s: %v", op, err)
		}
	}
}

// TestCredentials has wrong ones and none. It does not run beside other tests, which have right ones.
func TestCredentials(t *testing.T) {
	s := server(t)
	_, rawURL := newBucket(t, s, s.Endpoint)
	for name, c := range map[string]struct{ key, secret, says string }{
		"unknown key":  {"wrong-key", "wrong-secret", "check AWS_ACCESS_KEY_ID"},
		"wrong secret": {s.AccessKey, "wrong-secret", "check AWS_ACCESS_KEY_ID"},
		"none":         {"", "", "set AWS_ACCESS_KEY_ID"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_ACCESS_KEY_ID", c.key)
			t.Setenv("AWS_SECRET_ACCESS_KEY", c.secret)
			b := open(t, rawURL)
			for op, err := range all(t.Context(), b) {
				told(t, err)
				if op == "stat" && name == "unknown key" {
					continue // versitygw answers 404 here, and the answer to HEAD has no words
				}
				if !errors.Is(err, fs.ErrPermission) || op != "stat" && !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: %v", op, err)
				}
			}
		})
	}
}

// TestAnswers has the store say what this one does not say by itself.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for code, c := range map[string]struct {
		status int
		kind   error
		says   string
	}{
		"ExpiredToken":                 {400, fs.ErrPermission, "have expired"},
		"InvalidToken":                 {400, fs.ErrPermission, "have expired"},
		"AccessDenied":                 {403, fs.ErrPermission, "do not allow it"},
		"InvalidAccessKeyId":           {403, fs.ErrPermission, "check AWS_ACCESS_KEY_ID"},
		"RequestTimeTooSkewed":         {403, fs.ErrPermission, "clock"},
		"PermanentRedirect":            {301, fs.ErrInvalid, "region=…"},
		"AuthorizationHeaderMalformed": {400, fs.ErrInvalid, "region=…"},
		"SlowDown":                     {503, storage.ErrThrottled, "SlowDown"},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			p, b, _, _ := behind(t)
			p.Set(answer(c.status, code))
			for op, err := range all(t.Context(), b) {
				told(t, err)
				if op == "stat" {
					if err == nil {
						t.Error("stat has no error")
					}
					continue // without words
				}
				if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: %v", op, err)
				}
			}
		})
	}
}

// TestDeleteSome has one key of several fail.
func TestDeleteSome(t *testing.T) {
	t.Parallel()
	p, b, _, _ := behind(t)
	p.Set(servers.Rule{Fault: servers.Answer, Status: 200, Body: `<?xml version="1.0" encoding="UTF-8"?><DeleteResult>` +
		`<Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error>` +
		`<Error><Key>c</Key><Code>SlowDown</Code><Message>slow</Message></Error></DeleteResult>`})
	err := b.Delete(t.Context(), "a", "b", "c")
	told(t, err)
	if !errors.Is(err, fs.ErrPermission) || !errors.Is(err, storage.ErrThrottled) || !strings.Contains(err.Error(), `"b"`) ||
		!strings.Contains(err.Error(), `"c"`) {
		t.Errorf("error %v", err)
	}
}

// TestDeleteMissing has a store say of a missing key that it is missing, which is no error.
func TestDeleteMissing(t *testing.T) {
	t.Parallel()
	b := fake(t, "", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `<Error><Code>NoSuchKey</Code></Error>`)
			return
		}
		errs := `<Error><Key>a</Key><Code>NoSuchKey</Code></Error>`
		if keys, err := io.ReadAll(r.Body); err != nil || strings.Contains(string(keys), "locked") {
			errs += `<Error><Key>locked</Key><Code>AccessDenied</Code></Error>`
		}
		_, _ = io.WriteString(w, `<DeleteResult>`+errs+`</DeleteResult>`)
	})
	if err := b.Delete(t.Context(), "a"); err != nil {
		t.Errorf("one key: %v", err)
	}
	if err := b.Delete(t.Context(), "a", "b"); err != nil {
		t.Errorf("two keys: %v", err)
	}
	if err := b.Delete(t.Context(), "a", "locked"); !errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("two keys, of which one is not allowed: %v", err)
	}
}
