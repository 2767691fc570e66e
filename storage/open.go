package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// drivers holds the opener of each scheme.
var drivers = struct {
	sync.RWMutex
	open map[string]func(context.Context, *url.URL) (Bucket, error)
}{open: map[string]func(context.Context, *url.URL) (Bucket, error){}}

// known names the package of each scheme of this module, for the error of a missing import.
var known = map[string]string{
	"az":     "azstore",
	"file":   "filestore",
	"gs":     "gcsstore",
	"mem":    "memstore",
	"redis":  "redisstore",
	"rediss": "redisstore",
	"s3":     "s3store",
}

// Register makes open the opener of all URLs with scheme. Drivers call it from init. It panics when the scheme is taken.
//
// The URL that open is given has no password and no fragment. Its path, where the store is not a folder itself, is a
// prefix: open returns a bucket of the keys under it.
func Register(scheme string, open func(ctx context.Context, u *url.URL) (Bucket, error)) {
	drivers.Lock()
	defer drivers.Unlock()
	if _, taken := drivers.open[scheme]; taken {
		panic(fmt.Sprintf("storage: the scheme %q is registered twice", scheme))
	}
	drivers.open[scheme] = open
}

// Open opens the bucket at rawURL with the driver of its scheme, which must be imported: s3://bucket/prefix?region=…,
// file:///a/folder. The error for a scheme that is unknown names the import, one for an unknown parameter lists the
// known ones. A URL that holds a password is refused with an error that does not repeat it.
//
// Opening need not reach the store: a bucket that is not there may show itself only when it is first used. The caller
// closes the bucket.
func Open(ctx context.Context, rawURL string) (Bucket, error) {
	u, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	drivers.RLock()
	open := drivers.open[u.Scheme]
	registered := slices.Sorted(maps.Keys(drivers.open))
	drivers.RUnlock()
	if open != nil {
		return open(ctx, u)
	}
	if pkg := known[u.Scheme]; pkg != "" {
		return nil, fmt.Errorf("storage: no driver for %s:// is linked in: add import _ \"github.com/gowren/gowren/storage/%s\"",
			u.Scheme, pkg)
	}
	if len(registered) == 0 {
		return nil, fmt.Errorf("storage: no driver for %s://, nor any other, is linked in", u.Scheme)
	}
	return nil, fmt.Errorf("storage: no driver for %s:// is linked in, only for %s", u.Scheme, strings.Join(registered, ", "))
}

// parse reads a bucket's URL. Its errors repeat the URL only where it cannot hold a password.
func parse(rawURL string) (*url.URL, error) {
	shown := fmt.Sprintf("%q", rawURL)
	if strings.ContainsRune(rawURL, '@') {
		shown = "the URL"
	}
	if !strings.Contains(rawURL, "://") {
		path, err := filepath.Abs(rawURL)
		if err != nil || strings.ContainsRune(rawURL, '@') {
			path = "/a/folder"
		}
		local := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
		written := local.String()
		if strings.Contains(path, "*") { // a pattern, which holds it as it is
			return nil, fmt.Errorf("storage: %s has no scheme: for files of this machine write %s", shown, strings.ReplaceAll(written, "%2A", "*"))
		}
		return nil, fmt.Errorf("storage: %s has no scheme: for a folder of this machine write %s", shown, written)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		// The parser's error quotes what it stumbled over, which may be a password.
		if cause := (*url.Error)(nil); errors.As(err, &cause) && !strings.ContainsRune(rawURL, '@') {
			return nil, fmt.Errorf("storage: %s is not a URL: %w", shown, cause.Err)
		}
		return nil, fmt.Errorf("storage: %s is not a URL", shown)
	}
	if _, secret := u.User.Password(); secret {
		return nil, fmt.Errorf("storage: the %s:// URL holds a password, and URLs are logged and sent to workers: "+
			"give it as the driver's documentation says", u.Scheme)
	}
	if u.Fragment != "" || strings.HasSuffix(rawURL, "#") {
		return nil, fmt.Errorf("storage: %s has a fragment: write %%23 for # in a name", shown)
	}
	return u, nil
}

// CheckParams returns an error, wrapping [io/fs.ErrInvalid], when u has a query parameter that is not among the known
// ones, which the error lists. Drivers call it first of all, so that a misspelt parameter is not silently without effect.
func CheckParams(u *url.URL, known ...string) error {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return fmt.Errorf("%w: storage: the parameters of the %s:// URL cannot be read", fs.ErrInvalid, u.Scheme)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if slices.Contains(known, name) {
			continue
		}
		if len(known) == 0 {
			return fmt.Errorf("%w: storage: unknown parameter %q: %s:// URLs take none", fs.ErrInvalid, name, u.Scheme)
		}
		return fmt.Errorf("%w: storage: unknown parameter %q: %s:// URLs take %s", fs.ErrInvalid, name, u.Scheme,
			strings.Join(slices.Sorted(slices.Values(known)), ", "))
	}
	return nil
}
