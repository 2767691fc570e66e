package azurefunctions_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/azurefunctions"
	"github.com/gowren/gowren/mapper"

	"github.com/gowren/gowren/internal/servers/azfunc"
)

func TestURLs(t *testing.T) {
	t.Parallel()
	const place = "azurefunctions://" + subscription + "/gowren/westeurope"
	cases := map[string]string{ // the URL, and what the error says
		place: "", place + "?memory=512&instances=40&storage=acct&identity=worker": "",
		"azurefunctions://" + subscription:                        "SUBSCRIPTION/RESOURCE-GROUP/LOCATION",
		"azurefunctions://" + subscription + "/gowren":            "SUBSCRIPTION/RESOURCE-GROUP/LOCATION",
		"azurefunctions://mine/gowren/westeurope":                 "az account show",
		place + "?memory=1024":                                    "512, 2048 or 4096",
		place + "?memory=much":                                    "memory",
		place + "?instances=20":                                   "40 to 1000",
		place + "?instances=1001":                                 "40 to 1000",
		place + "?storage=No":                                     "storage account",
		place + "?identity=a/b":                                   "identity",
		place + "?endpoint=http://example.com":                    "https",
		place + "?size=1":                                         "memory, instances, storage, identity, endpoint",
		"azurefunctions://key@" + subscription + "/g/westeurope":  "no credentials",
		"azurefunctions://" + subscription + "/g/west%20europe!":  "location",
		"azurefunctions://" + subscription + "/a%20b/westeurope":  "resource group",
		"azurefunctions://" + subscription + "/g/westeurope/more": "SUBSCRIPTION/RESOURCE-GROUP/LOCATION",
	}
	for u, want := range cases {
		b, err := backends.Open(t.Context(), u)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", u, err)
				continue
			}
			if l := b.Limits(); !l.Remote || !l.Isolates || l.MaxDuration != 190*time.Second || l.CPUs < 1 || l.Concurrency < 40 {
				t.Errorf("%s: %+v", u, l)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			continue
		}
		if err == nil || !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", u, err, want)
		}
	}
}

// TestNames holds that what an app is made for is in its name, and that Azure takes it.
func TestNames(t *testing.T) {
	t.Parallel()
	base := azurefunctions.Config{Subscription: subscription, ResourceGroup: "gowren", Location: "westeurope"}
	seen := map[string]string{}
	add := func(what, bucket string, change func(*azurefunctions.Config)) {
		c := base
		if change != nil {
			change(&c)
		}
		name, err := azurefunctions.NameOf(c, bucket)
		if err != nil {
			t.Fatal(err)
		}
		if len(name) > 60 || strings.Contains(name, "--") {
			t.Errorf("%s: the name %q", what, name)
		}
		if other, taken := seen[name]; taken {
			t.Errorf("%s and %s are both %s", what, other, name)
		}
		seen[name] = what
	}
	add("base", "az://account/box", nil)
	add("another bucket", "az://account/box2", nil)
	add("memory", "az://account/box", func(c *azurefunctions.Config) { c.MemoryMB = 4096 })
	add("identity", "az://account/box", func(c *azurefunctions.Config) { c.Identity = "worker" })
	add("storage", "az://account/box", func(c *azurefunctions.Config) { c.Storage = "another" })
	add("group", "az://account/box", func(c *azurefunctions.Config) { c.ResourceGroup = "other" })
	add("location", "az://account/box", func(c *azurefunctions.Config) { c.Location = "northeurope" })
	add("environment", "az://account/box", func(c *azurefunctions.Config) { c.Environment = map[string]string{"A": "b"} })
	if _, err := azurefunctions.NameOf(base, "s3://bucket"); err == nil || !strings.Contains(err.Error(), "storage=") {
		t.Errorf("a bucket outside of Azure, and no account: %v", err)
	}
}

// TestOneLine cuts texts of others neither at a line's end nor within a character.
func TestOneLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "one\r\n two\n\nthree\n": "one two three", "\xff\xfea": "a",
		strings.Repeat("x", 500):       strings.Repeat("x", 500),
		strings.Repeat("x", 499) + "é": strings.Repeat("x", 499) + "…",
		strings.Repeat("é", 251):       strings.Repeat("é", 250) + "…",
	} {
		if got := azurefunctions.OneLine(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// TestTimeout refuses tasks that may take longer than is left of what Azure's front waits when a worker has started.
func TestTimeout(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
	ex, err := mapper.New(t.Context(), open(t, config(s)), folder(t), mapper.Options{Quiet: true, Timeout: 200 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer ex.Close()
	if _, err := mapper.Call(t.Context(), ex, double, 1); !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), "3m10s") {
		t.Errorf("%v", err)
	}
}

// TestDocumentedRoles holds docs/azure.md to have the roles as they are here.
func TestDocumentedRoles(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/azure.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []azurefunctions.Role{azurefunctions.DriverRole(false), azurefunctions.DriverRole(true), azurefunctions.WorkerRole()} {
		definition := r.Definition("$SCOPE")
		if !json.Valid([]byte(definition)) {
			t.Errorf("%s: no JSON", definition)
		}
		if !strings.Contains(string(text), definition) {
			t.Errorf("docs/azure.md lacks\n%s", definition)
		}
	}
	condition := azurefunctions.RoleCondition()
	if !strings.Contains(string(text), condition) {
		t.Errorf("docs/azure.md lacks\n%s", condition)
	}
	if strings.Count(condition, "(") != strings.Count(condition, ")") || strings.Count(condition, "{") != strings.Count(condition, "}") {
		t.Errorf("its brackets do not match:\n%s", condition)
	}
}
