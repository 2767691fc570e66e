package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
)

// fails runs all operations, which are all to fail, and returns their errors.
func fails(t *testing.T, b storage.Bucket) []error {
	t.Helper()
	ctx := t.Context()
	_, get := b.Get(ctx, "k", 0, -1)
	_, stat := b.Stat(ctx, "k")
	errs := []error{
		get, stat, b.Put(ctx, "k", strings.NewReader("x")), b.Put(ctx, "k", strings.NewReader(text(100_000))),
		b.Put(ctx, "k", strings.NewReader(text(50_000))),
		b.PutNew(ctx, "k", strings.NewReader("x")), b.PutNew(ctx, "k", strings.NewReader(text(100_000))), b.Delete(ctx, "k"),
	}
	for _, err := range b.List(ctx, "") {
		errs = append(errs, err)
	}
	for _, err := range errs {
		var e *storage.Error
		if !errors.As(err, &e) {
			t.Errorf("%v is no *storage.Error", err)
		}
	}
	return errs
}

// TestAnswers has a server say what a real one says seldom.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]struct {
		is    error
		words string
	}{
		"LOADING Redis is loading the dataset in memory":              {storage.ErrThrottled, "loading"},
		"BUSY Redis is busy running a script.":                        {storage.ErrThrottled, "script"},
		"MASTERDOWN Link with MASTER is down":                         {storage.ErrThrottled, "not ready"},
		"ERR max number of clients reached":                           {storage.ErrThrottled, "connection"},
		"OOM command not allowed when used memory > 'maxmemory'.":     {nil, "maxmemory"},
		"READONLY You can't write against a read only replica.":       {nil, "replica"},
		"MOVED 3999 127.0.0.1:6381":                                   {nil, "Cluster"},
		"NOAUTH Authentication required.":                             {fs.ErrPermission, passwordVariable},
		"NOPERM this user has no permissions to run the 'x' command":  {fs.ErrPermission, "documentation"},
		"ERR ACL failure in script: No permissions to access a key":   {fs.ErrPermission, "documentation"},
		"WRONGTYPE Operation against a key holding the wrong kind":    {nil, "something else"},
		"ERR some other thing that nobody has heard of until today":   {nil, "heard of"},
		"ERR DB index is out of range":                                {fs.ErrInvalid, "number"},
		"EXECABORT not because of NOAUTH, which this merely mentions": {nil, "merely"},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go answer(l, "-"+line+"\r\n")
		for _, err := range fails(t, opened(t, "redis://"+l.Addr().String())) {
			if !strings.Contains(err.Error(), want.words) || !strings.Contains(err.Error(), line) {
				t.Errorf("%v does not say %q", err, want.words)
			}
			for _, is := range []error{storage.ErrThrottled, fs.ErrPermission, fs.ErrInvalid, fs.ErrNotExist, fs.ErrExist} {
				if errors.Is(err, is) != (is == want.is) {
					t.Errorf("%v is %v: %v", err, is, errors.Is(err, is))
				}
			}
		}
	}
}

const secret = "a-secret-of-the-test"

// TestCredentials sets the environment, and so runs alone.
func TestCredentials(t *testing.T) {
	addr := servers.Redis(t, "--requirepass", secret).Addr
	admin := redis.NewClient(&redis.Options{Addr: addr, Password: secret})
	defer admin.Close()
	commands := strings.Fields("hello select eval evalsha exists get getrange set pexpire persist time unlink zadd zrem zrandmember zrangebylex")
	for user, rules := range map[string][]string{
		"mid": {"~gowren:*", "+" + strings.Join(commands, " +")}, "low": {"~other:*", "+@all"}, "none": {"~*", "-@all", "+hello"},
	} {
		args := []any{"acl", "setuser", user, "on", ">" + secret}
		for _, rule := range rules {
			for word := range strings.FieldsSeq(rule) {
				args = append(args, word)
			}
		}
		if err := admin.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ user, password string }{{"", ""}, {"", "wrong" + secret}, {"mid", "wrong"}, {"nobody", secret}, {"low", secret}, {"none", secret}} {
		t.Setenv(passwordVariable, c.password)
		u := url.URL{Scheme: "redis", Host: addr}
		if c.user != "" {
			u.User = url.User(c.user)
		}
		for _, err := range fails(t, opened(t, u.String())) {
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("user %q, password %q: %v", c.user, c.password, err)
			}
			noSecret(t, err)
		}
	}
	t.Setenv(passwordVariable, "")
	if _, err := storage.Open(t.Context(), "redis://mid@"+addr); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), passwordVariable) {
		t.Errorf("a user without a password: %v", err)
	}
	t.Setenv(passwordVariable, secret)
	for _, user := range []string{"", "mid@"} {
		b := opened(t, "redis://"+user+addr+"/3?ttl=1h").(*bucket)
		b.inline, b.part = 10, 16
		for _, data := range []string{"small", text(100), "again"} {
			put(t, b, "k", data)
			if err := wantRead(t.Context(), b, "k", data); err != nil {
				t.Errorf("user %q: %v", user, err)
			}
		}
		if err := b.PutNew(t.Context(), "k", strings.NewReader(text(100))); !errors.Is(err, fs.ErrExist) {
			t.Errorf("user %q: %v", user, err)
		}
		wantList(t, b, "k")
		if err := b.Delete(t.Context(), "k"); err != nil {
			t.Errorf("user %q: %v", user, err)
		}
		if want := "redis://" + user + addr + "/3?ttl=1h"; b.URL() != want {
			t.Errorf("the URL is %s, want %s", b.URL(), want)
		}
	}
	// Not Redis, and it repeats what it does not understand.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go answer(l, echoing)
	for _, err := range fails(t, opened(t, "redis://"+l.Addr().String())) {
		noSecret(t, err)
		if !strings.Contains(err.Error(), "unknown command") {
			t.Errorf("%v does not say what the server says", err)
		}
	}
}

// noSecret looks into an error in all ways of writing it.
func noSecret(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, secret) {
			t.Errorf("the error has the password: %s", text)
		}
	}
}

// TestFull fills a server's memory.
func TestFull(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := opened(t, "redis://"+servers.Redis(t, "--maxmemory", "30mb").Addr).(*bucket)
	b.client.ConfigSet(ctx, "maxmemory", "30mb") // which this test has changed where it runs again
	put(t, b, "old", text(1<<20))
	had := fmt.Sprint(names(t, b, "*"))
	err := b.Put(ctx, "old", noise(1, 40<<20))
	if err == nil || !strings.Contains(err.Error(), "maxmemory") || errors.Is(err, storage.ErrThrottled) {
		t.Errorf("error %v, want one that says that the memory is full", err)
	}
	if has := fmt.Sprint(names(t, b, "*")); has != had {
		t.Errorf("the server has %s, and had %s", has, had)
	}
	if err := wantRead(ctx, b, "old", text(1<<20)); err != nil {
		t.Errorf("the old object: %v", err)
	}
	// The parts go in, and the commit does not.
	b.client.ConfigSet(ctx, "maxmemory", "1gb")
	full := func() { b.client.ConfigSet(context.WithoutCancel(ctx), "maxmemory", "1mb") }
	for _, size := range []int{10, 100_000} {
		if err := b.Put(ctx, "new", &filling{strings.NewReader(text(size)), full}); err == nil || !strings.Contains(err.Error(), "maxmemory") {
			t.Errorf("%d bytes: error %v", size, err)
		}
		if has := fmt.Sprint(names(t, b, "*")); has != had {
			t.Errorf("%d bytes: the server has %s, and had %s", size, has, had)
		}
	}
	if err := b.Delete(ctx, "old"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	wantEmpty(t, b)
}

// filling is data at whose end something is done.
type filling struct {
	*strings.Reader
	full func()
}

func (f *filling) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil {
		f.full()
	}
	return n, err
}

// TestForeign meets values that are not this package's.
func TestForeign(t *testing.T) {
	t.Parallel()
	b, ctx := whole(t), t.Context()
	for _, value := range []string{"x", "gowren1", "gowren1 a 1 0 5\n", "gowren1 a 1 0 5\nxx", "gowren1 a -1 0 5\n", "gowren2 a 1 0 5\nx", "gowren1 a 1 0 x\nx", strings.Repeat("x ", 1000)} {
		if err := b.client.Set(ctx, objectName+"k", value, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if got, err := read(ctx, b, "k", 0, -1); !errors.Is(err, errHeader) {
			t.Errorf("value %.30q: read %q, %v", value, got, err)
		}
	}
	put(t, b, "k", "x") // may be replaced
	b.client.Del(ctx, indexName)
	b.client.Set(ctx, indexName, "no index", 0)
	if err := b.Put(ctx, "k", strings.NewReader("new")); err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("an index that is none: %v", err)
	}
	if err := wantRead(ctx, b, "k", "x"); err != nil {
		t.Errorf("what was not replaced: %v", err)
	}
}
