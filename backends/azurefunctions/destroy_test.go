package azurefunctions_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/azurefunctions"
	"github.com/gowren/gowren/internal/servers/azfunc"
	"github.com/gowren/gowren/storage"
)

// tooSmall makes a Prepare fail when all is made: it has no room for the package.
const tooSmall = 1000

// prepareInVain makes what a Prepare makes that fails, and returns the app's name.
func prepareInVain(t *testing.T, c azurefunctions.Config, bucket storage.Bucket) string {
	t.Helper()
	if err := open(t, c).Prepare(t.Context(), backends.Deployment{Program: program, Bucket: bucket}); err == nil {
		t.Fatal("Prepare has not failed")
	}
	name, err := azurefunctions.NameOf(c, bucket.URL())
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// all are the apps of a server, and what else is there.
func all(s *azfunc.Server) []string { return append(s.Apps(), s.Left()...) }

// TestDestroyOne leaves what other buckets and other configurations have.
func TestDestroyOne(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{MaxPackage: tooSmall})
	bucket := folder(t)
	larger := config(s)
	larger.MemoryMB = 4096
	prepareInVain(t, config(s), folder(t))
	prepareInVain(t, larger, bucket)
	before := all(s)
	name := prepareInVain(t, config(s), bucket)
	if now := all(s); len(now) != len(before)*3/2 || !slices.Contains(now, name) {
		t.Fatalf("Prepare has made %v of %v", now, before)
	}
	if err := open(t, config(s)).Destroy(t.Context(), bucket.URL()); err != nil {
		t.Fatal(err)
	}
	if now := all(s); !slices.Equal(now, before) {
		t.Errorf("there is\n%v, and before Prepare was\n%v", now, before)
	}
}

// TestDestroyRest deletes what a Prepare leaves that fails at its first steps, and what is left where the app was deleted.
func TestDestroyRest(t *testing.T) {
	t.Parallel()
	for _, denied := range []string{
		"Microsoft.Storage/storageAccounts/blobServices/containers/write", "Microsoft.Web/serverfarms/write", "Microsoft.Web/sites/write",
		"Microsoft.Authorization/roleAssignments/write", "Microsoft.Web/sites/publish/Action", "",
	} {
		o := azfunc.Options{Deny: []string{denied}, MaxPackage: tooSmall}
		s, bucket := azfunc.Start(t, o), folder(t)
		name := prepareInVain(t, config(s), bucket)
		if denied == "" {
			s.Delete(name)
		}
		if err := open(t, config(s)).Destroy(t.Context(), bucket.URL()); err != nil {
			t.Errorf("%s: %v", denied, err)
		}
		if left := all(s); len(left) > 0 {
			t.Errorf("%s: Destroy has left %v", denied, left)
		}
	}
}

// TestDestroyAgain ends what a Destroy has begun that failed at any of its steps.
func TestDestroyAgain(t *testing.T) {
	t.Parallel()
	for _, denied := range []string{
		"Microsoft.Web/sites/delete", "Microsoft.Web/serverfarms/delete", "Microsoft.Storage/storageAccounts/blobServices/containers/delete",
		"Microsoft.Authorization/roleAssignments/delete",
	} {
		s, bucket := azfunc.Start(t, azfunc.Options{Deny: []string{denied}, MaxPackage: tooSmall}), folder(t)
		prepareInVain(t, config(s), bucket)
		err := open(t, config(s)).Destroy(t.Context(), bucket.URL())
		if !errors.Is(err, backends.ErrRefused) || !strings.Contains(err.Error(), denied) {
			t.Errorf("%s: %v", denied, err)
		}
		s.Permit()
		if err := open(t, config(s)).Destroy(t.Context(), bucket.URL()); err != nil {
			t.Errorf("%s: %v", denied, err)
		}
		if left := all(s); len(left) > 0 {
			t.Errorf("%s: Destroy has left %v", denied, left)
		}
	}
}

// TestDestroyOthers leaves what has the name and not the mark. Prepare does not use it either.
func TestDestroyOthers(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"app", "plan", "container"} {
		s, bucket := azfunc.Start(t, azfunc.Options{MaxPackage: tooSmall}), folder(t)
		name := prepareInVain(t, config(s), bucket)
		s.Untag(kind, name)
		before := all(s)
		b := open(t, config(s))
		azurefunctions.Hurry(b)
		for what, err := range map[string]error{
			"Destroy": b.Destroy(t.Context(), bucket.URL()),
			"Prepare": b.Prepare(t.Context(), backends.Deployment{Program: program, Bucket: bucket}),
		} {
			if !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), kind+" "+name+" lacks the tag") {
				t.Errorf("%s of another's %s: %v", what, kind, err)
			}
		}
		if now := all(s); !slices.Equal(now, before) {
			t.Errorf("there is\n%v, and before was\n%v", now, before)
		}
	}
}

// TestRolesOfAnotherApp gives a new app the roles that its predecessor of the same name had.
func TestRolesOfAnotherApp(t *testing.T) {
	t.Parallel()
	s, bucket := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances}), folder(t)
	for range 2 {
		if err := doubles(t, open(t, config(s)), bucket); err != nil {
			t.Fatal(err)
		}
		s.Delete(s.Apps()[0]) // as by hand: its roles stay
	}
	if err := open(t, config(s)).Destroy(t.Context(), bucket.URL()); err != nil {
		t.Fatal(err)
	}
	if left := all(s); len(left) > 0 {
		t.Errorf("Destroy has left %v", left)
	}
}

// TestUnreachedAccount: where no account is reached, the error says that all else would fail likewise, and not where the
// resource group is missing.
func TestUnreachedAccount(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{})
	none, away, gone := config(s), config(s), config(s)
	none.Credential, away.Endpoint, gone.ResourceGroup = nobody{}, "http://127.0.0.1:1", "gone"
	wrong := config(s)
	wrong.Credential = token("wrong")
	for name, x := range map[string]struct {
		config  azurefunctions.Config
		account bool
	}{"no credentials": {none, true}, "no connection": {away, true}, "wrong credentials": {wrong, true}, "no group": {gone, false}} {
		err := open(t, x.config).Destroy(t.Context(), "az://account/b")
		if errors.As(err, new(*backends.AccountError)) != x.account {
			t.Errorf("%s: %v", name, err)
		}
	}
}
