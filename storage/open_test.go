package storage_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
	_ "github.com/gowren/gowren/storage/filestore"
	_ "github.com/gowren/gowren/storage/memstore"
)

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	for rawURL, say := range map[string]string{
		"s3://bucket":                    `import _ "github.com/gowren/gowren/storage/s3store"`,
		"gs://bucket":                    `storage/gcsstore"`,
		"az://bucket":                    `storage/azstore"`,
		"rediss://host":                  `storage/redisstore"`,
		"ftp://host":                     "only for file, mem",
		"/tmp/x":                         "write file:///tmp/x",
		"./x":                            "/storage/x",
		"/tmp/x y/*.csv":                 "for files of this machine write file:///tmp/x%20y/*.csv",
		"":                               "no scheme",
		"/tmp/a b#c":                     "file:///tmp/a%20b%23c",
		"mem://x?a=b":                    `unknown parameter "a": mem:// URLs take none`,
		"mem://x?a=%zz":                  "cannot be read",
		"mem://x#y":                      "%23",
		"mem://x%zz":                     "invalid URL escape",
		"redis://:SECRET@host":           "holds a password",
		"redis://u:SECRET@host:port/?#%": "is not a URL",
		"s3://key:SECRET%zz@bucket":      "is not a URL",
		"redis:u:SECRET@host":            "no scheme",
		"user:SECRET@host/x":             "no scheme",
	} {
		_, err := storage.Open(t.Context(), rawURL)
		if err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("Open %q: %v, want %q", rawURL, err, say)
		}
		if err != nil && strings.Contains(err.Error(), "SECRET") {
			t.Errorf("Open %q tells the password: %v", rawURL, err)
		}
	}
}

func TestRegisterTwice(t *testing.T) {
	t.Parallel()
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(string), `"mem"`) {
			t.Errorf("panic %v, want one that names the scheme", r)
		}
	}()
	storage.Register("mem", func(context.Context, *url.URL) (storage.Bucket, error) { return nil, nil })
}

func TestCheckParams(t *testing.T) {
	t.Parallel()
	u, err := url.Parse("s3://b?region=x&endpont=SECRET")
	if err != nil {
		t.Fatal(err)
	}
	if err := storage.CheckParams(u, "region", "endpont"); err != nil {
		t.Error(err)
	}
	err = storage.CheckParams(u, "region", "endpoint")
	if err == nil || !strings.Contains(err.Error(), `"endpont"`) || !strings.Contains(err.Error(), "endpoint, region") ||
		strings.Contains(err.Error(), "SECRET") {
		t.Errorf("error %v, want the known ones and no value", err)
	}
}
