package azurefunctions_test

import (
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/azurefunctions"
	"github.com/gowren/gowren/backends/backendtest"
	"github.com/gowren/gowren/internal/servers/azfunc"
	"github.com/gowren/gowren/storage"
)

func TestConformance(t *testing.T) {
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
	backendtest.Run(t, func(t *testing.T, bucket storage.Bucket) backends.Backend {
		app, err := azurefunctions.NameOf(config(s), bucket.URL())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Delete(app) }) // its workers end with the case
		b, err := azurefunctions.NewQuick(config(s))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}, backendtest.Options{Outlives: true})
}
