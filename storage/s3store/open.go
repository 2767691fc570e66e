package s3store

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/gowren/gowren/storage"
)

func init() { storage.Register("s3", open) }

// place is what a URL says.
type place struct {
	bucket, prefix   string
	region, endpoint string // empty where the environment is to say
	pathStyle        bool
}

// parse reads an s3 URL.
func parse(u *url.URL) (place, error) {
	p := place{bucket: u.Host, prefix: strings.Trim(u.Path, "/")}
	if err := storage.CheckParams(u, "region", "endpoint", "path-style"); err != nil {
		return p, err
	}
	if u.User != nil {
		return p, invalid("an s3:// URL names no user: credentials come from the environment")
	}
	if u.Host == "" || u.Port() != "" {
		return p, invalid("the URL names no bucket: write s3://bucket or s3://bucket/prefix")
	}
	if strings.HasSuffix(u.Host, "--x-s3") {
		return p, invalid("%s is a directory bucket, which lists its keys in no order", u.Host)
	}
	q := u.Query()
	p.region = q.Get("region")
	if style := q.Get("path-style"); style != "" {
		b, err := strconv.ParseBool(style)
		if err != nil {
			return p, invalid("path-style is true or false, not %q", style)
		}
		p.pathStyle = b
	}
	if q.Has("endpoint") {
		p.endpoint = q.Get("endpoint")
		if err := checkEndpoint(p.endpoint); err != nil {
			return p, err
		}
	}
	return p, nil
}

// checkEndpoint refuses an endpoint that cannot be one. It does not repeat it, for it may hold a password or a key.
func checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if strings.Contains(endpoint, "@") || err == nil && u.User != nil {
		return invalid("the endpoint holds a user, and URLs are logged and sent to workers: credentials come from the environment")
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return invalid("the endpoint is not of the form https://host:port")
	}
	return nil
}

// open makes the bucket of a URL. It asks neither the store nor, mostly, anybody else: credentials are looked for when
// they are first needed.
func open(ctx context.Context, u *url.URL) (storage.Bucket, error) {
	p, err := parse(u)
	if err != nil {
		return nil, err
	}
	b, err := newBucket(ctx, p)
	if err != nil {
		return nil, err
	}
	return storage.OwnedPrefix(b, p.prefix), nil
}

// newBucket makes the bucket of a place, without its prefix.
func newBucket(ctx context.Context, p place) (*bucket, error) {
	m := &storage.Meter{}
	client, transport, err := connect(ctx, p, m)
	if err != nil {
		return nil, err
	}
	o := client.Options()
	p.region = o.Region
	if e := aws.ToString(o.BaseEndpoint); e != "" { // the environment's, where the URL has none
		if err := checkEndpoint(e); err != nil {
			return nil, err
		}
		p.endpoint = e
	}
	return &bucket{
		client: client, transport: transport, name: p.bucket, url: p.url(), place: p, meter: m,
		sums: o.RequestChecksumCalculation != aws.RequestChecksumCalculationWhenRequired,
	}, nil
}

// url writes the URL of the place without its prefix. It holds what the environment of this process added, since a
// worker's may say something else.
func (p place) url() string {
	q := url.Values{}
	if p.region != "" {
		q.Set("region", p.region)
	}
	if p.endpoint != "" {
		q.Set("endpoint", p.endpoint)
	}
	if p.pathStyle {
		q.Set("path-style", "true")
	}
	return (&url.URL{Scheme: "s3", Host: p.bucket, RawQuery: q.Encode()}).String()
}

// settle fills in the options of a client.
func (p place) settle(o *s3.Options) error {
	o.Region = cmp.Or(p.region, o.Region)
	if p.endpoint != "" {
		o.BaseEndpoint = &p.endpoint
	}
	if o.Region == "" && o.BaseEndpoint != nil {
		o.Region = "us-east-1" // what the stores that know no regions expect in signatures
	}
	if o.Region == "" {
		return invalid("no region is known: add ?region=… to the URL, or set AWS_REGION")
	}
	o.UsePathStyle = p.pathStyle
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: s3store: "+format, append([]any{fs.ErrInvalid}, args...)...)
}
