package azstore

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/gowren/gowren/storage"
)

func init() { storage.Register("az", open) }

// place is what a URL says.
type place struct {
	account, container, prefix string
	endpoint                   *url.URL // of the account; nil where the URL does not say
}

var (
	accountName   = regexp.MustCompile(`^[a-z0-9]{3,24}$`)
	containerName = regexp.MustCompile(`^\$?[a-z0-9](-?[a-z0-9])*$`)
)

// parse reads an az URL.
func parse(u *url.URL) (place, error) {
	if err := storage.CheckParams(u, "endpoint"); err != nil {
		return place{}, err
	}
	if u.User != nil {
		return place{}, invalid("an az:// URL names no user: credentials come from the environment")
	}
	p := place{account: u.Host}
	if !accountName.MatchString(p.account) {
		return p, invalid("%q is no storage account, whose name has 3 to 24 small letters and digits: "+
			"write az://account/container/prefix", p.account)
	}
	p.container, p.prefix, _ = strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if p.container == "" {
		return p, invalid("the URL names no container: write az://%s/container or az://%s/container/prefix", p.account, p.account)
	}
	if len(p.container) < 3 || len(p.container) > 63 || !containerName.MatchString(p.container) {
		return p, invalid("%q is no container, whose name has 3 to 63 small letters, digits and single hyphens", p.container)
	}
	p.prefix = strings.Trim(p.prefix, "/")
	if !u.Query().Has("endpoint") {
		return p, nil
	}
	var err error
	p.endpoint, err = parseEndpoint(u.Query().Get("endpoint"))
	return p, err
}

// parseEndpoint reads the address of an account. It repeats nothing of what may be a secret.
func parseEndpoint(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, invalid("the endpoint is not of the form https://host or http://host:port/account")
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, invalid("the endpoint has a user, a query or a fragment: credentials come from the environment")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}, nil
}

// usual is the endpoint of an account where none is given.
func usual(account string) *url.URL {
	return &url.URL{Scheme: "https", Host: account + ".blob.core.windows.net"}
}

// url opens the place again, without its prefix.
func (p place) url() string {
	u := url.URL{Scheme: "az", Host: p.account, Path: "/" + p.container}
	if at := p.endpoint.String(); at != usual(p.account).String() {
		u.RawQuery = url.Values{"endpoint": {at}}.Encode()
	}
	return u.String()
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: azstore: %s", fs.ErrInvalid, fmt.Sprintf(format, args...))
}

func open(_ context.Context, u *url.URL) (storage.Bucket, error) { return openWith(u, environment()) }

// openWith opens a URL in an environment.
func openWith(u *url.URL, env surroundings) (storage.Bucket, error) {
	p, err := parse(u)
	if err != nil {
		return nil, err
	}
	a, err := env.access(&p)
	if err != nil {
		return nil, err
	}
	if a.sas != "" && p.endpoint.Scheme == "http" && !loopback(p.endpoint.Hostname()) {
		return nil, invalid("%s would be sent over http, where all can read it: use an endpoint of https", a.what)
	}
	b, err := newBucket(p, a, env)
	if err != nil {
		return nil, err
	}
	return storage.OwnedPrefix(b, p.prefix), nil
}

// loopback reports whether what is sent to the host stays on this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
