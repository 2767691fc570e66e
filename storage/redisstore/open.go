package redisstore

import (
	"context"
	"crypto/tls"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/gowren/gowren/storage"
)

func init() {
	storage.Register("redis", open)
	storage.Register("rediss", open)
}

const (
	defaultPort = "6379"
	// connections bounds those of a bucket. A server has 10,000 by default, for all workers.
	connections = 16
	dialTimeout = 10 * time.Second
	// ioTimeout bounds one request, a part's included, which then takes 280 KB/s.
	ioTimeout = 30 * time.Second
	// poolTimeout bounds the wait for a connection, while others send their parts.
	poolTimeout = 2 * time.Minute
	idleTimeout = 5 * time.Minute
)

// address is what a URL says.
type address struct {
	scheme, user, host string // host is as it was written
	db                 int
	prefix             string
	ttl                time.Duration
	ttlText            string
}

func parse(u *url.URL) (address, error) {
	if err := storage.CheckParams(u, "ttl"); err != nil {
		return address{}, err
	}
	a := address{scheme: u.Scheme, user: u.User.Username(), host: u.Host, ttlText: u.Query().Get("ttl")}
	if u.Hostname() == "" {
		return address{}, invalid("a %s:// URL names a host: %s://localhost:6379/0", u.Scheme, u.Scheme)
	}
	db, prefix, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	a.prefix = strings.Trim(prefix, "/")
	var err error
	if db != "" {
		if a.db, err = strconv.Atoi(db); err != nil || a.db < 0 {
			return address{}, invalid("the path of a %s:// URL begins with the number of a database, not with %q: /0/%s",
				u.Scheme, db, strings.Trim(u.Path, "/"))
		}
	}
	if u.Query().Has("ttl") {
		if a.ttl, err = time.ParseDuration(a.ttlText); err != nil || a.ttl < time.Second {
			return address{}, invalid("ttl=%s is not a time of a second or more, such as 24h", a.ttlText)
		}
	}
	return a, nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: redisstore: %s", fs.ErrInvalid, fmt.Sprintf(format, args...))
}

// url opens the bucket again, without its prefix.
func (a address) url() string {
	u := url.URL{Scheme: a.scheme, Host: a.host, Path: "/" + strconv.Itoa(a.db)}
	if a.user != "" {
		u.User = url.User(a.user)
	}
	if a.ttl > 0 {
		u.RawQuery = url.Values{"ttl": {a.ttlText}}.Encode()
	}
	return u.String()
}

func open(_ context.Context, u *url.URL) (storage.Bucket, error) {
	a, err := parse(u)
	if err != nil {
		return nil, err
	}
	password := password()
	if a.user != "" && password == "" { // the server would take us for its default user, and say nothing
		return nil, fmt.Errorf("%w: redisstore: the URL names the user %q, and %s is not set", fs.ErrPermission, a.user, passwordVariable)
	}
	b := newBucket(a, password)
	return storage.OwnedPrefix(b, a.prefix), nil
}

// newBucket makes a bucket without reaching for the server.
func newBucket(a address, password string) *bucket {
	host, port, err := net.SplitHostPort(a.host)
	if err != nil || port == "" {
		host, port = strings.Trim(strings.TrimSuffix(a.host, ":"), "[]"), defaultPort
	}
	options := &redis.Options{
		Addr:     net.JoinHostPort(host, port),
		DB:       a.db,
		Username: a.user,
		Password: password,
		// One attempt: whether a second one is safe, and how many there are, is decided in one place, storage.Retry.
		MaxRetries: -1, DialerRetries: 1,
		ContextTimeoutEnabled: true,
		DialTimeout:           dialTimeout, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
		PoolSize: connections, MaxActiveConns: connections, PipelinePoolSize: -1,
		PoolTimeout: poolTimeout, ConnMaxIdleTime: idleTimeout,
		DisableIdentity:          true, // a request less for each connection
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	dial := (&net.Dialer{}).DialContext
	if a.scheme == "rediss" {
		dial = (&tls.Dialer{Config: &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}}).DialContext
	}
	options.Dialer = quietly(dial)
	if password == "" {
		options.OnConnect = greet
	}
	return &bucket{
		client: redis.NewClient(options), url: a.url(), password: password, ttl: a.ttl,
		inline: maxInline, part: partSize, keep: uncommitted,
	}
}

// greet asks the server for something small. One that wants a password hangs up on who sends it an object without one,
// and does not say why; to this it answers.
func greet(ctx context.Context, conn *redis.Conn) error { return conn.Exists(ctx, indexName).Err() }
