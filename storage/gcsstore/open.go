package gcsstore

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	gcs "cloud.google.com/go/storage"
	"google.golang.org/api/option"

	"github.com/gowren/gowren/storage"
)

func init() { storage.Register("gs", open) }

// Options are what a bucket's URL may say besides its name. The zero value is right for most.
type Options struct {
	// Project pays for the requests, where the bucket wants the requester to pay. Defaults to the bucket's own.
	Project string
	// Endpoint is http://host:port or https://host of another server. Defaults to Google's.
	Endpoint string
}

// Open returns the bucket called name. It sends nothing.
func Open(ctx context.Context, name string, o Options) (*Bucket, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if err := checkEndpoint(o.Endpoint); err != nil {
		return nil, err
	}
	b := &Bucket{url: o.url(name), part: partSize}
	b.http = &http.Client{
		Transport: &transport{base: newConnections(), answered: &b.exists},
		// The service redirects no request of this API, and credentials are not to follow one.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// Our transport has the credentials: the SDK would look for them now, and send them wherever it is told to.
	opts := []option.ClientOption{option.WithHTTPClient(b.http), option.WithoutAuthentication(), gcs.WithJSONReads()}
	if o.Endpoint != "" {
		opts = append(opts, option.WithEndpoint(strings.TrimSuffix(o.Endpoint, "/")+"/storage/v1/"))
	}
	client, err := gcs.NewClient(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("gcsstore: open %s: %w", b.url, err)
	}
	b.client, b.handle = client, client.Bucket(name)
	if o.Project != "" {
		b.handle = b.handle.UserProject(o.Project)
	}
	return b, nil
}

// url writes the bucket's URL.
func (o Options) url(name string) string {
	query := url.Values{}
	if o.Project != "" {
		query.Set("project", o.Project)
	}
	if o.Endpoint != "" {
		query.Set("endpoint", o.Endpoint)
	}
	return (&url.URL{Scheme: "gs", Host: name, RawQuery: query.Encode()}).String()
}

func open(ctx context.Context, u *url.URL) (storage.Bucket, error) {
	if err := storage.CheckParams(u, "endpoint", "project"); err != nil {
		return nil, err
	}
	if u.User != nil {
		return nil, fmt.Errorf("%w: gcsstore: a gs:// URL has no user: credentials come from the environment", fs.ErrInvalid)
	}
	query := u.Query()
	b, err := Open(ctx, u.Host, Options{Project: query.Get("project"), Endpoint: query.Get("endpoint")})
	if err != nil {
		return nil, err
	}
	prefix := strings.Trim(u.Path, "/")
	return storage.OwnedPrefix(b, prefix), nil
}

// checkName refuses what is no bucket's name: 3 to 222 lower-case letters, digits, dashes, underscores and dots. The
// service has more rules, and says so itself.
func checkName(name string) error {
	ok := func(r rune) bool {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.", r)
	}
	if len(name) < 3 || len(name) > 222 || strings.ContainsFunc(name, func(r rune) bool { return !ok(r) }) {
		return fmt.Errorf("%w: gcsstore: %q is no bucket's name: it has 3 to 222 lower-case letters, digits, '-', '_' and '.'",
			fs.ErrInvalid, name)
	}
	return nil
}

// checkEndpoint does not repeat the endpoint, which may hold what should not be there.
func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%w: gcsstore: the endpoint is not of the form http://host:port or https://host", fs.ErrInvalid)
	}
	return nil
}
