package storage_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

func TestProbe(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	if err := storage.Probe(t.Context(), b); err != nil {
		t.Error(err)
	}
	lost := errors.New("lost")
	for _, c := range []struct {
		rule storagetest.Rule
		want error
		word string
	}{
		{storagetest.Rule{Op: "putnew", Before: fs.ErrPermission}, fs.ErrPermission, "write"},
		{storagetest.Rule{Op: "putnew", Nth: 2, Before: lost}, lost, "write"},
		{storagetest.Rule{Op: "get", Before: fs.ErrPermission}, fs.ErrPermission, "read"},
		{storagetest.Rule{Op: "get", Cut: lost, At: 3}, lost, "read"},
		{storagetest.Rule{Op: "list", Before: fs.ErrPermission}, fs.ErrPermission, "list"},
		{storagetest.Rule{Op: "delete", Before: fs.ErrPermission}, fs.ErrPermission, "delete"},
	} {
		err := storage.Probe(t.Context(), storagetest.Faults(b, c.rule))
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%+v: %v", c.rule, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(lost)
	if err := storage.Probe(ctx, b); !errors.Is(err, lost) {
		t.Error(err)
	}
	// What the fault left is all that is left.
	for o, err := range b.List(t.Context(), "") {
		if err != nil || !strings.HasPrefix(o.Key, "probe/") {
			t.Errorf("%s, %v", o.Key, err)
		}
	}
}
