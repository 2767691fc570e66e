package gcpfunctions

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"cloud.google.com/go/functions/apiv2/functionspb"
	"google.golang.org/api/googleapi"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/internal/servers/gcf"
)

// TestDestroy: the function of the configuration and bucket goes, with and without Prepare, and no other.
func TestDestroy(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{Deny: []string{"cloudfunctions.functions.list"}})
	on, other := bucket(t), bucket(t)
	changed := config(s)
	changed.Env = map[string]string{"A": "b"}
	for _, c := range []Config{config(s), changed} {
		if err := prepare(t, newBackend(t, c), on); err != nil {
			t.Fatal(err)
		}
	}
	b := newBackend(t, config(s))
	if err := prepare(t, b, other); err != nil {
		t.Fatal(err)
	}
	before := s.Functions()
	if err := b.Destroy(t.Context(), on.URL()); err != nil { // not the bucket that it was prepared for
		t.Fatal(err)
	}
	f, err := b.config.function(on.URL())
	if err != nil {
		t.Fatal(err)
	}
	want := slices.DeleteFunc(before, func(id string) bool { return id == f.id })
	if got := s.Functions(); len(want) != 2 || !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}
	for range 2 { // the second finds nothing
		if err := newBackend(t, config(s)).Destroy(t.Context(), other.URL()); err != nil {
			t.Error(err)
		}
	}
	if got := s.Functions(); len(got) != 1 {
		t.Errorf("there are %v", got)
	}
}

// TestDestroyAfterHalf: what a Prepare that failed half-way has left goes too.
func TestDestroyAfterHalf(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]gcf.Options{
		"a function that failed":    {BuildError: "it happens"},
		"an upload and no function": {Deny: []string{"cloudfunctions.functions.create"}},
	} {
		s := gcf.New(t, o)
		on := bucket(t)
		b := newBackend(t, config(s))
		if err := prepare(t, b, on); err == nil {
			t.Errorf("%s: Prepare did not fail", name)
		}
		if err := b.Destroy(t.Context(), on.URL()); err != nil || len(s.Functions()) > 0 {
			t.Errorf("%s: %v, there are %v", name, err, s.Functions())
		}
	}
}

// TestDestroyWaits: a function that is being deployed, or deleted, by another driver is gone at the end too.
func TestDestroyWaits(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{Work: 50 * time.Millisecond})
	b := newBackend(t, config(s))
	f, err := b.config.function("file:///bucket")
	if err != nil {
		t.Fatal(err)
	}
	exe, err := program.Find(t.Context(), os.Getenv("GOWREN_PROGRAM"), nil, platform)
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	if err := b.control.complete(t.Context(), &f, exe); err != nil {
		t.Fatal(err)
	}
	f.spec.Name = ""
	if _, err := b.control.client.CreateFunction(t.Context(), &functionspb.CreateFunctionRequest{
		Parent: b.config.parent(), FunctionId: f.id, Function: f.spec,
	}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	for range 2 {
		go func() { ended <- b.Destroy(t.Context(), "file:///bucket") }()
	}
	if err := errors.Join(<-ended, <-ended); err != nil || len(s.Functions()) > 0 {
		t.Errorf("%v, there are %v", err, s.Functions())
	}
}

// TestDestroyLeavesOthers: a function of the name that lacks the label stays, and the error says so.
func TestDestroyLeavesOthers(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	on := bucket(t)
	b := newBackend(t, config(s))
	if err := prepare(t, b, on); err != nil {
		t.Fatal(err)
	}
	s.Relabel(b.id, nil)
	wantError(t, s, b.Destroy(t.Context(), on.URL()), backends.ErrInvalid, b.id, "label gowren", "gcloud functions delete")
	if len(s.Functions()) != 1 {
		t.Error("it is gone")
	}
}

// nobody has no tokens.
type nobody struct{ Tokens }

func (nobody) Access(context.Context) (string, error) { return "", errors.New("no usable credentials") }

// TestUnreachedAccount: where no account is reached, the error says that all else would fail likewise, and not where one
// permission is missing.
func TestUnreachedAccount(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{Deny: []string{"cloudfunctions.functions.get"}})
	none, away := config(s), config(s)
	none.Tokens, away.Endpoint = nobody{}, "http://127.0.0.1:1"
	for name, x := range map[string]struct {
		config  Config
		account bool
	}{"no credentials": {none, true}, "no connection": {away, true}, "denied": {config(s), false}} {
		err := newBackend(t, x.config).Destroy(t.Context(), "gs://b")
		if err == nil || errors.As(err, new(*backends.AccountError)) != x.account {
			t.Errorf("%s: %v", name, err)
		}
	}
	answer := &googleapi.Error{Code: http.StatusUnauthorized}
	if err := explain(answer); !errors.As(err, new(*backends.AccountError)) || !errors.Is(err, backends.ErrRefused) {
		t.Error(err)
	}
}
