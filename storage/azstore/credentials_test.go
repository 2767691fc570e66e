package azstore

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	azlog "github.com/Azure/azure-sdk-for-go/sdk/azcore/log"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
)

// each does one of each operation, and returns the errors by operation.
func each(ctx context.Context, b storage.Bucket) map[string]error {
	errs := map[string]error{}
	_, errs["get"] = get(ctx, b, "there", 0, -1)
	_, errs["stat"] = b.Stat(ctx, "there")
	errs["put"] = b.Put(ctx, "new", strings.NewReader("x"))
	errs["putnew"] = b.PutNew(ctx, "newer", strings.NewReader("x"))
	errs["large put"] = b.Put(ctx, "large", strings.NewReader(pattern(17*mib)))
	errs["large putnew"] = b.PutNew(ctx, "larger", strings.NewReader(pattern(9*mib)))
	for _, err := range b.List(ctx, "") {
		errs["list"] = err
	}
	errs["delete"] = b.Delete(ctx, "there", "gone")
	return errs
}

var reads = map[string]bool{"get": true, "stat": true, "list": true}

// signature makes a shared access signature for a container.
func signature(t *testing.T, s servers.AzureServer, name string, p sas.ContainerPermissions, from, to time.Time) string {
	t.Helper()
	signed, err := containerClient(t, s, name).GetSASURL(p, to, &container.GetSASURLOptions{StartTime: &from})
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(signed, "?")
	return query
}

func TestAccess(t *testing.T) {
	t.Parallel()
	s := servers.Azure(t)
	const otherKey = "bm90IHRoZSBrZXkgb2YgdGhpcyBhY2NvdW50"
	all := sas.ContainerPermissions{Read: true, Add: true, Create: true, Write: true, Delete: true, List: true}
	now := time.Now()
	before, after := now.Add(-time.Hour), now.Add(time.Hour)
	connection := "DefaultEndpointsProtocol=http;AccountName=" + s.Account + ";BlobEndpoint=" + s.Endpoint + "/;"
	const (
		allowed = iota
		readOnly
		refusedAll
		invalidFirst
	)
	for name, c := range map[string]struct {
		env    func(container string) []string
		want   int
		words  string
		secret string // beside the signature
	}{
		"key":               {func(string) []string { return []string{keyVariable, s.Key} }, allowed, "", ""},
		"connection string": {func(string) []string { return []string{connectionVariable, connection + "AccountKey=" + s.Key} }, allowed, "", ""},
		"connection string with a signature": {func(c string) []string {
			return []string{connectionVariable, connection + "SharedAccessSignature=" + signature(t, s, c, all, before, after)}
		}, allowed, "", ""},
		"signature": {func(c string) []string { return []string{sasVariable, "?" + signature(t, s, c, all, before, after)} }, allowed, "", ""},
		"another account's string": {func(string) []string {
			return []string{connectionVariable, "AccountName=other;AccountKey=" + otherKey, keyVariable, s.Key}
		}, allowed, "", ""},
		"wrong key":     {func(string) []string { return []string{keyVariable, otherKey} }, refusedAll, "refuses the account's key in " + keyVariable, otherKey},
		"no key":        {func(string) []string { return []string{keyVariable, "!secret!"} }, invalidFirst, "base 64", "!secret!"},
		"no signature":  {func(string) []string { return []string{sasVariable, "secret"} }, invalidFirst, "sig=", "secret"},
		"nothing in it": {func(string) []string { return []string{connectionVariable, connection} }, invalidFirst, "AccountKey", ""},
		"a wrong endpoint": {func(string) []string {
			return []string{connectionVariable, "BlobEndpoint=https://x?sig=secret;AccountKey=" + otherKey}
		}, invalidFirst, connectionVariable, "secret"},
		"reading signature": {func(c string) []string {
			return []string{sasVariable, signature(t, s, c, sas.ContainerPermissions{Read: true, List: true}, before, after)}
		}, readOnly, sasVariable, ""},
		"expired signature": {func(c string) []string {
			return []string{sasVariable, signature(t, s, c, all, before, now.Add(-time.Minute))}
		}, refusedAll, "has expired at " + now.Add(-time.Minute).UTC().Format("2006-01-02T15:04"), ""},
		"forged signature": {func(c string) []string {
			return []string{sasVariable, strings.Replace(signature(t, s, c, all, before, after), "sp=", "sp=t", 1)}
		}, refusedAll, "refuses the shared access signature in " + sasVariable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			container := newContainer(t, s)
			direct := opened(t, address(s, s.Endpoint, container), variables(keyVariable, s.Key))
			if err := direct.Put(t.Context(), "there", strings.NewReader("x")); err != nil {
				t.Fatal(err)
			}
			env := c.env(container)
			from := address(s, s.Endpoint, container)
			if strings.HasPrefix(name, "connection") {
				from = "az://" + s.Account + "/" + container // the string has the endpoint
			}
			u, err := url.Parse(from)
			if err != nil {
				t.Fatal(err)
			}
			b, err := openWith(u, variables(env...))
			if c.want == invalidFirst && c.words == connectionVariable {
				u.RawQuery = ""
				b, err = openWith(u, variables(env...))
			}
			if c.want == invalidFirst {
				if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), c.words) || c.secret != "" && strings.Contains(err.Error(), c.secret) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			if b.URL() != direct.URL() {
				t.Errorf("the URL is %s", b.URL())
			}
			for op, err := range each(t.Context(), b) {
				if ok := c.want == allowed || c.want == readOnly && reads[op]; ok != (err == nil) || !ok && !errors.Is(err, fs.ErrPermission) {
					t.Errorf("%s: %v", op, err)
				}
				if err != nil {
					if !strings.Contains(err.Error(), c.words) && op != "stat" {
						t.Errorf("%s: %v, which does not say %q", op, err, c.words)
					}
					holdsNone(t, err, env[1], c.secret)
				}
			}
		})
	}
}

// holdsNone looks for secrets in an error: the value of a variable, its signature, a key in it.
func holdsNone(t *testing.T, err error, secrets ...string) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, secret := range secrets {
			if values, bad := url.ParseQuery(strings.TrimPrefix(secret, "?")); bad == nil && values.Get("sig") != "" {
				secret = values.Get("sig")
			}
			if secret != "" && (strings.Contains(e.Error(), secret) || strings.Contains(e.Error(), url.QueryEscape(secret))) {
				t.Errorf("the error repeats a secret: %v", e)
			}
		}
		if regexp.MustCompile(`sig=[^R]`).MatchString(e.Error()) || strings.Contains(e.Error(), "signed what") { // but REDACTED
			t.Errorf("the error repeats a signature: %v", e)
		}
	}
}

// TestSecretsInFaults has all kinds of failures meet a signature, which goes with each request's URL.
func TestSecretsInFaults(t *testing.T) {
	t.Parallel()
	s := servers.Azure(t)
	name := newContainer(t, s)
	all := sas.ContainerPermissions{Read: true, Add: true, Create: true, Write: true, Delete: true, List: true}
	secret := signature(t, s, name, all, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	p := servers.NewProxy(t, s.Endpoint)
	b := opened(t, address(s, p.URL, name), variables(sasVariable, secret))
	if err := b.Put(t.Context(), "there", strings.NewReader("xyz")); err != nil {
		t.Fatal(err)
	}
	if seen := p.Seen(); !strings.Contains(seen[0], "sig=") {
		t.Fatalf("the signature is not sent: %q", seen)
	}
	for name, rule := range map[string]servers.Rule{
		"reset": fault(servers.Reset, 0), "lose": fault(servers.Lose, 0), "cut": fault(servers.Cut, 1), "flip": fault(servers.FlipAnswer, 1),
		"stall": fault(servers.Stall, 0), "forbidden": refused(403, "AuthenticationFailed"), "unknown": refused(400, "Whatever"),
		"empty": {Fault: servers.Answer, Status: 500}, "moved": {Fault: servers.Answer, Status: 302, Header: map[string][]string{"Location": {"http://127.0.0.1:1/x"}}},
	} {
		p.Set(rule)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		failed := 0
		for _, err := range each(ctx, b) {
			if err != nil {
				failed++
				holdsNone(t, err, secret)
			}
		}
		if failed == 0 {
			t.Errorf("%s: nothing fails", name)
		}
		cancel()
	}
	away := opened(t, address(s, "http://127.0.0.1:1/x", name), variables(sasVariable, secret))
	for op, err := range each(t.Context(), away) {
		if err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("%s: %v", op, err)
		}
		holdsNone(t, err, secret)
	}
}

// TestLog looks for secrets in what the SDK logs where AZURE_SDK_GO_LOGGING asks for it. It runs alone: the log is the
// process's.
func TestLog(t *testing.T) {
	s := servers.Azure(t)
	name := newContainer(t, s)
	all := sas.ContainerPermissions{Read: true, Add: true, Create: true, Write: true, Delete: true, List: true}
	secret := signature(t, s, name, all, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	var mu sync.Mutex
	var lines []string
	azlog.SetListener(func(e azlog.Event, text string) {
		mu.Lock()
		lines = append(lines, text)
		mu.Unlock()
	})
	defer azlog.SetListener(nil)
	p := servers.NewProxy(t, s.Endpoint, nth(3, fault(servers.Reset, 0)), nth(5, fault(servers.Cut, 0)))
	for _, env := range []surroundings{variables(sasVariable, secret), variables(keyVariable, s.Key)} {
		for op, err := range each(t.Context(), opened(t, address(s, p.URL, name), env)) {
			t.Log(op, err)
		}
	}
	for _, line := range lines {
		holdsNone(t, errors.New(line), secret, s.Key)
	}
	if len(lines) < 20 {
		t.Errorf("the log has %d lines", len(lines))
	}
}

func TestNoContainer(t *testing.T) {
	t.Parallel()
	s := servers.Azure(t)
	b := opened(t, address(s, s.Endpoint, "missing"), variables(keyVariable, s.Key))
	for op, err := range each(t.Context(), b) {
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "has no container missing: create it") {
			t.Errorf("%s: %v", op, err)
		}
	}
}

// TestAnswers is about what answers mean.
func TestAnswers(t *testing.T) {
	t.Parallel()
	b, p := fresh(t)
	for _, c := range []struct {
		status      int
		code, words string
		get, putnew error
	}{
		{404, "BlobNotFound", "", fs.ErrNotExist, fs.ErrNotExist},
		{409, "BlobAlreadyExists", "", fs.ErrExist, fs.ErrExist},
		{412, "ConditionNotMet", "", storage.ErrChanged, fs.ErrExist},
		{412, "LeaseIdMissing", "lease", fs.ErrPermission, fs.ErrPermission},
		{403, "AuthenticationFailed", "refuses the account's key", fs.ErrPermission, fs.ErrPermission},
		{403, "AuthorizationFailure", "network", fs.ErrPermission, fs.ErrPermission},
		{403, "AuthorizationPermissionMismatch", "Storage Blob Data Contributor", fs.ErrPermission, fs.ErrPermission},
		{403, "KeyBasedAuthenticationNotPermitted", "az login", fs.ErrPermission, fs.ErrPermission},
		{403, "UnauthorizedBlobOverwrite", "", fs.ErrPermission, fs.ErrExist},
		{403, "Unheard", "does not allow", fs.ErrPermission, fs.ErrPermission},
		{401, "NoAuthenticationInformation", "", fs.ErrPermission, fs.ErrPermission},
		{409, "BlobArchived", "archived", fs.ErrPermission, fs.ErrPermission},
		{400, "InvalidResourceName", "", fs.ErrInvalid, fs.ErrInvalid},
		{503, "ServerBusy", "", storage.ErrThrottled, storage.ErrThrottled},
		{429, "Unheard", "", storage.ErrThrottled, storage.ErrThrottled},
	} {
		p.Set(refused(c.status, c.code))
		_, err := get(t.Context(), b, "k", 0, -1)
		err2 := b.PutNew(t.Context(), "k", strings.NewReader("x"))
		if !errors.Is(err, c.get) || !errors.Is(err2, c.putnew) || !strings.Contains(err2.Error(), c.words) {
			t.Errorf("%d %s: %v; %v", c.status, c.code, err, err2)
		}
		for _, want := range []string{c.code, "request-7", "Words of the service"} {
			if !errors.Is(err2, fs.ErrExist) && !strings.Contains(err2.Error(), want) {
				t.Errorf("%d %s: %v, which does not say %q", c.status, c.code, err2, want)
			}
		}
		if err2 != nil && regexp.MustCompile(`\n|signed what|Time:`).MatchString(err2.Error()) {
			t.Errorf("%d %s: %q says too much", c.status, c.code, err2)
		}
	}
	for _, status := range []int{400, 408, 500, 502, 503, 504} { // of which it is not known what was done
		p.Set(refused(status, "Unheard"))
		err := b.PutNew(t.Context(), "k", strings.NewReader("x"))
		for _, kind := range []error{fs.ErrExist, fs.ErrNotExist, fs.ErrInvalid, fs.ErrPermission, storage.ErrThrottled} {
			if err == nil || errors.Is(err, kind) {
				t.Errorf("%d: %v", status, err)
			}
		}
	}
	unknown := b.fail(t.Context(), "get", "k", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}})
	if !strings.Contains(unknown.Error(), "is "+b.place.account+" the storage account's name?") {
		t.Error(unknown)
	}
}
