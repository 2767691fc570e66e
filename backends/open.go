package backends

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Opener makes a backend from the URL it was asked for by. It reaches nothing yet: Prepare does.
type Opener func(ctx context.Context, u *url.URL) (Backend, error)

var (
	openersMu sync.Mutex
	openers   = map[string]Opener{}

	// elsewhere holds the packages to import for the backends that mapper does not link.
	elsewhere = map[string]string{
		"http":           "github.com/gowren/gowren/backends/httpworker",
		"https":          "github.com/gowren/gowren/backends/httpworker",
		"awslambda":      "github.com/gowren/gowren/backends/awslambda",
		"gcpfunctions":   "github.com/gowren/gowren/backends/gcpfunctions",
		"azurefunctions": "github.com/gowren/gowren/backends/azurefunctions",
		"local":          "github.com/gowren/gowren/backends/local",
		"inproc":         "github.com/gowren/gowren/backends/inproc",
	}
)

// Register makes a backend known by its scheme. Drivers call it when they are imported. It panics when the scheme is taken.
func Register(scheme string, open Opener) {
	openersMu.Lock()
	defer openersMu.Unlock()
	if _, taken := openers[scheme]; taken || scheme == "" {
		panic(fmt.Sprintf("backends: the scheme %q is registered already, or empty", scheme))
	}
	openers[scheme] = open
}

// Open makes the backend that a URL names: scheme://place?parameter=value. The scheme alone will do ("local").
func Open(ctx context.Context, rawURL string) (Backend, error) {
	full := rawURL
	if scheme, params, ok := strings.Cut(full, "?"); !strings.Contains(scheme, ":") {
		full = scheme + "://"
		if ok {
			full += "?" + params
		}
	}
	u, err := url.Parse(full)
	if err != nil || u.Scheme == "" {
		return nil, fmt.Errorf("backends: the backend's URL is not one; write it as in local://?workers=2: %w", ErrInvalid)
	}
	if u.User != nil {
		return nil, fmt.Errorf("backends: %s: a URL must hold no credentials; each backend finds them by its SDK's own ways: %w", u.Scheme, ErrInvalid)
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil { // u.Query leaves out what it cannot read
		return nil, fmt.Errorf("backends: %s: the URL's parameters cannot be read: %w: %w", u.Scheme, err, ErrInvalid)
	}
	openersMu.Lock()
	open, ok := openers[u.Scheme]
	known := slices.Sorted(maps.Keys(openers))
	openersMu.Unlock()
	if !ok {
		if pkg, ok := elsewhere[u.Scheme]; ok {
			return nil, fmt.Errorf("backends: %q needs a driver; add to your program: import _ %q: %w", u.Scheme, pkg, ErrInvalid)
		}
		return nil, fmt.Errorf("backends: unknown backend %q; this program has %s: %w", u.Scheme, strings.Join(known, ", "), ErrInvalid)
	}
	return open(ctx, u)
}

// CheckPlace returns an error when the URL names a place, for backends that have but one: a number in it would be without
// effect.
func CheckPlace(u *url.URL) error {
	if place := u.Opaque + u.Host + strings.Trim(u.Path, "/"); place != "" || u.Fragment != "" {
		return fmt.Errorf("backends: %s takes no place (%q): write its parameters after a question mark, as in %s://?workers=2: %w", u.Scheme, place, u.Scheme, ErrInvalid)
	}
	return nil
}

// Number returns the number that a parameter of the URL holds, at least 1, or 0 where there is none.
func Number(u *url.URL, name string) (int, error) {
	s := u.Query().Get(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s: %s=%q is not a number of at least 1: %w", u.Scheme, name, s, ErrInvalid)
	}
	return n, nil
}

// CheckParameters returns an error that lists the known parameters when the URL has another one.
func CheckParameters(u *url.URL, known ...string) error {
	for name := range u.Query() {
		if !slices.Contains(known, name) {
			return fmt.Errorf("backends: %s has no parameter %q; it has: %s: %w", u.Scheme, name, strings.Join(known, ", "), ErrInvalid)
		}
	}
	return nil
}
