package azurefunctions_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/azurefunctions"
	"github.com/gowren/gowren/internal/servers/azfunc"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

var double = mapper.Func("azurefunctions.double", func(_ context.Context, x int) (int, error) { return 2 * x, nil })

// doubles runs a job on the backend.
func doubles(t *testing.T, b backends.Backend, bucket storage.Bucket) error {
	t.Helper()
	again, err := storage.Open(t.Context(), bucket.URL()) // which the executor closes
	if err != nil {
		return err
	}
	ex, err := mapper.New(t.Context(), b, again, mapper.Options{Quiet: true})
	if err != nil {
		return err
	}
	defer ex.Close()
	in := make([]int, 20)
	for i := range in {
		in[i] = i
	}
	got, err := mapper.Map(t.Context(), ex, double, in)
	for i := range got {
		if err == nil && got[i] != 2*i {
			t.Errorf("result %d is %d", i, got[i])
		}
	}
	return err
}

// TestFromNothing makes an app where operations take time and roles are not in force at once, uses it, and deletes it.
func TestFromNothing(t *testing.T) {
	t.Parallel()
	for name, identity := range map[string]string{"own identity": "", "given identity": "worker"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := azfunc.Options{Polls: 2, RetryAfter: "0", Propagation: 2, Identities: []string{"worker"}, Instances: azurefunctions.Instances}
			s := azfunc.Start(t, o)
			if identity != "" { // its owner has given it its role
				s.Grant("worker", "gowrenstore")
			}
			before := s.Left()
			c := config(s)
			c.Identity = identity
			b, bucket := open(t, c), folder(t)
			for _, f := range b.Check(t.Context(), backends.Deployment{Program: program, Bucket: bucket}) {
				if f.Err != nil {
					t.Errorf("%s: %v", f.What, f.Err)
				}
			}
			if err := doubles(t, b, bucket); err != nil {
				t.Fatal(err)
			}
			if err := b.Destroy(t.Context(), bucket.URL()); err != nil {
				t.Fatal(err)
			}
			if apps, left := s.Apps(), s.Left(); len(apps) > 0 || !slices.Equal(left, before) {
				t.Errorf("Destroy has left %v and %v", apps, left)
			}
			want := azurefunctions.DriverRole(identity != "").Actions
			if got := s.Used(); !equalFold(got, want) {
				t.Errorf("the calls needed\n%v\nand the driver's role has\n%v", got, want)
			}
		})
	}
}

// equalFold compares permissions, which have no case.
func equalFold(a, b []string) bool {
	lower := func(s []string) []string {
		out := make([]string, len(s))
		for i := range s {
			out[i] = strings.ToLower(s[i])
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(lower(a), lower(b))
}

// TestSecondDriver finds the app, and changes nothing.
func TestSecondDriver(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
	bucket := folder(t)
	for range 2 {
		if err := doubles(t, open(t, config(s)), bucket); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Calls("Microsoft.Web/sites/write"); n != 1 {
		t.Errorf("the app was written %d times", n)
	}
}

func TestTwoDriversAtOnce(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: 2 * azurefunctions.Instances, Polls: 1, RetryAfter: "0"})
	bucket := folder(t)
	var both sync.WaitGroup
	for range 2 {
		b := open(t, config(s))
		both.Go(func() {
			if err := doubles(t, b, bucket); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if n := len(s.Apps()); n != 1 {
		t.Errorf("there are %d apps", n)
	}
}

// TestSpoiled deploys the package anew where the app does not answer.
func TestSpoiled(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
	bucket := folder(t)
	if err := doubles(t, open(t, config(s)), bucket); err != nil {
		t.Fatal(err)
	}
	s.Spoil(s.Apps()[0])
	if err := doubles(t, open(t, config(s)), bucket); err != nil {
		t.Fatal(err)
	}
}

// TestRefusals holds what is told of the resource manager's errors: the class, and words that lead further.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const write = "Microsoft.Web/serverfarms/write"
	cases := map[string]struct {
		options azfunc.Options
		change  func(*azfunc.Server, *azurefunctions.Config)
		class   error
		words   []string
	}{
		"no group": {
			change: func(_ *azfunc.Server, c *azurefunctions.Config) { c.ResourceGroup = "other" },
			class:  backends.ErrInvalid, words: []string{"other", "az group create --name other --location westeurope"},
		},
		"wrong region": {
			change: func(_ *azfunc.Server, c *azurefunctions.Config) { c.Location = "atlantis" },
			class:  backends.ErrInvalid, words: []string{"atlantis", "list-flexconsumption-locations"},
		},
		"no account": {
			change: func(_ *azfunc.Server, c *azurefunctions.Config) { c.Storage = "nothere" },
			words:  []string{"nothere", "storage="},
		},
		"no identity": {
			change: func(_ *azfunc.Server, c *azurefunctions.Config) { c.Identity = "nobody" },
			words:  []string{"nobody"},
		},
		"denied": {
			options: azfunc.Options{Deny: []string{"Microsoft.Web/sites/write"}},
			class:   backends.ErrRefused, words: []string{"Microsoft.Web/sites/write", "docs/azure.md"},
		},
		"may not assign roles": {
			options: azfunc.Options{Deny: []string{"Microsoft.Authorization/roleAssignments/write"}},
			class:   backends.ErrRefused, words: []string{"roleAssignments/write", "identity="},
		},
		"may not deploy": {
			options: azfunc.Options{Deny: []string{"Microsoft.Web/sites/publish/Action"}},
			class:   backends.ErrRefused, words: []string{"Microsoft.Web/sites/publish/Action"},
		},
		"quota": {
			options: azfunc.Options{Refuse: map[string]azfunc.Refusal{
				write: {Status: 401, Code: "Unauthorized", Message: "Operation cannot be completed.\r\n\tReason: it needs additional quota. Current Limit: 0"},
			}},
			class: backends.ErrRefused, words: []string{"completed. Reason: it needs additional quota. Current Limit: 0", "more quota"},
		},
		"provider not registered": {
			options: azfunc.Options{Refuse: map[string]azfunc.Refusal{
				write: {Status: 409, Code: "MissingSubscriptionRegistration", Message: "The subscription is not registered to use namespace 'Microsoft.Web'."},
			}},
			class: backends.ErrInvalid, words: []string{"az provider register"},
		},
		"name taken": {
			options: azfunc.Options{Taken: []string{"gowren-"}},
			class:   backends.ErrInvalid, words: []string{"already exists", "somebody else"},
		},
		"package too large": {
			options: azfunc.Options{MaxPackage: 1000},
			class:   backends.ErrInvalid, words: []string{"too large"},
		},
		"token expired": {
			change: func(s *azfunc.Server, _ *azurefunctions.Config) { s.Expire() },
			class:  backends.ErrRefused, words: []string{"expired", "az login"},
		},
		"throttled for long": {
			options: azfunc.Options{RetryAfter: "0"},
			change:  func(s *azfunc.Server, _ *azurefunctions.Config) { s.Throttle(1000) },
			class:   backends.ErrThrottled, words: []string{"429"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := azfunc.Start(t, c.options)
			conf := config(s)
			if c.change != nil {
				c.change(s, &conf)
			}
			err := open(t, conf).Prepare(t.Context(), backends.Deployment{Program: program, Bucket: folder(t)})
			if err == nil || c.class != nil && !errors.Is(err, c.class) {
				t.Fatalf("Prepare: %v, want %v", err, c.class)
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q lacks %q", err, w)
				}
			}
			if strings.Contains(err.Error(), s.Token) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error holds a token, or has several lines: %q", err)
			}
		})
	}
}

// TestThrottledForShort goes on when the resource manager does.
func TestThrottledForShort(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{RetryAfter: "0", Instances: azurefunctions.Instances})
	s.Throttle(2)
	if err := doubles(t, open(t, config(s)), folder(t)); err != nil {
		t.Fatal(err)
	}
}
