package azurefunctions_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/azurefunctions"
	"github.com/gowren/gowren/internal/servers/azfunc"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

// TestCheck holds the lines of a check where all is well.
func TestCheck(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
	bucket := folder(t)
	for range 2 { // where there is nothing, and where the app is there
		found := open(t, config(s)).Check(t.Context(), backends.Deployment{Program: program, Bucket: bucket})
		want := [][2]string{
			{"credentials", "driver@example.com"},
			{"resource group gowren", "gowren is in westeurope"},
			{"storage account for the package", "gowrenstore is in westeurope"},
			{"Flex Consumption in westeurope", "up to 100 instances of 2048 MB, which take 100 CPUs"},
			{"function app gowren-", "there"},
			{"test invocation", "1 CPUs, answers and reaches the bucket"},
		}
		if len(found) != len(want) {
			t.Fatalf("%d lines: %v", len(found), found)
		}
		for i, f := range found {
			if f.Err != nil || !strings.HasPrefix(f.What, want[i][0]) || !strings.Contains(f.Note, want[i][1]) {
				t.Errorf("%+v, want %q", f, want[i])
			}
		}
	}
	if n := s.Calls("Microsoft.Web/serverfarms/write"); n != 2 { // one for its own line, one by Prepare
		t.Errorf("the plan was written %d times", n)
	}
}

// nobody has no token.
type nobody struct{}

func (nobody) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, errors.New("DefaultAzureCredential: failed to acquire a token.\nAttempted credentials: none")
}

// TestRemedies holds which line of a check fails, and what it says is to be done.
func TestRemedies(t *testing.T) {
	t.Parallel()
	const write, scope = "Microsoft.Web/serverfarms/write", "/subscriptions/" + subscription + "/resourceGroups/gowren"
	cases := map[string]struct {
		options      azfunc.Options
		change       func(*azfunc.Server, *azurefunctions.Config)
		bucket       func(*testing.T) storage.Bucket
		line, remedy string
	}{
		"no credentials": {
			change: func(_ *azfunc.Server, c *azurefunctions.Config) { c.Credential = nobody{} },
			line:   "credentials", remedy: "az login",
		},
		"no group": {
			change: func(_ *azfunc.Server, c *azurefunctions.Config) { c.ResourceGroup = "other" },
			line:   "resource group other", remedy: "az group create --name other --location westeurope",
		},
		"token expired": {
			change: func(s *azfunc.Server, _ *azurefunctions.Config) { s.Expire() },
			line:   "resource group", remedy: "az login",
		},
		"may read nothing": {
			options: azfunc.Options{Deny: []string{"Microsoft.Resources/subscriptions/resourceGroups/read"}},
			line:    "resource group", remedy: `az role assignment create --role "gowren driver" --assignee DRIVER --scope ` + scope,
		},
		"may read nothing, with an identity": {
			options: azfunc.Options{Deny: []string{"Microsoft.Resources/subscriptions/resourceGroups/read"}},
			change:  func(_ *azfunc.Server, c *azurefunctions.Config) { c.Identity = "workers" },
			line:    "resource group", remedy: `--role "gowren driver with identity" --assignee DRIVER --scope ` + scope,
		},
		"no account": {
			change: func(_ *azfunc.Server, c *azurefunctions.Config) { c.Storage = "nothere" },
			line:   "storage account", remedy: "az storage account create --name nothere",
		},
		"no identity": {
			change: func(_ *azfunc.Server, c *azurefunctions.Config) { c.Identity = "nobody" },
			line:   "identity nobody", remedy: "az identity create --name nobody",
		},
		"wrong region": {
			change: func(_ *azfunc.Server, c *azurefunctions.Config) { c.Location = "atlantis" },
			line:   "Flex Consumption in atlantis", remedy: "az functionapp list-flexconsumption-locations",
		},
		"quota": {
			options: azfunc.Options{Refuse: map[string]azfunc.Refusal{write: {Status: 401, Code: "Unauthorized", Message: "additional quota is needed"}}},
			line:    "Flex Consumption in westeurope", remedy: "ask for more quota",
		},
		"provider not registered": {
			options: azfunc.Options{Refuse: map[string]azfunc.Refusal{write: {Status: 409, Code: "MissingSubscriptionRegistration", Message: "not registered"}}},
			line:    "Flex Consumption in westeurope", remedy: "az provider register",
		},
		"may not make an app": {
			options: azfunc.Options{Deny: []string{"Microsoft.Web/sites/write"}},
			line:    "function app", remedy: `--role "gowren driver"`,
		},
		"may not assign roles": {
			options: azfunc.Options{Deny: []string{"Microsoft.Authorization/roleAssignments/write"}},
			line:    "function app", remedy: "identity=",
		},
		"role not in force": {
			options: azfunc.Options{Propagation: 1 << 20},
			line:    "function app", remedy: `az role assignment create --role "Storage Blob Data Owner"`,
		},
		"bucket out of reach": {
			bucket: keptFrom,
			line:   "function app", remedy: "Config.Environment",
		},
		"busy": {
			change: func(s *azfunc.Server, _ *azurefunctions.Config) { s.Faults.Throttled.Store(1 << 20) },
			line:   "test invocation", remedy: "wait",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.options.Instances = azurefunctions.Instances
			s := azfunc.Start(t, c.options)
			conf := config(s)
			if c.change != nil {
				c.change(s, &conf)
			}
			if c.bucket == nil {
				c.bucket = folder
			}
			b := open(t, conf)
			azurefunctions.Hurry(b)
			var failed []string
			for _, f := range b.Check(t.Context(), backends.Deployment{Program: program, Bucket: c.bucket(t)}) {
				if f.Err == nil {
					continue
				}
				failed = append(failed, f.What)
				if !strings.HasPrefix(f.What, c.line) || !strings.Contains(f.Remedy, c.remedy) || strings.Contains(f.Err.Error()+f.Remedy, "\n") {
					t.Errorf("%s: %v\nwhat to do: %s", f.What, f.Err, f.Remedy)
				}
			}
			if len(failed) != 1 {
				t.Errorf("the lines %q failed", failed)
			}
		})
	}
}

// keptFrom is a bucket that workers cannot use.
func keptFrom(t *testing.T) storage.Bucket {
	t.Helper()
	dir := t.TempDir()
	b, err := filestore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return kept{b, "kept://" + dir}
}
