package s3store_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
)

func TestOpen(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"s3://b?region=eu-west-1", "s3://b?region=eu-west-1"},
		{"s3://b/p/q/?region=eu-west-1", "s3://b/p/q?region=eu-west-1"},
		{"s3://b.c?endpoint=http://h:1&path-style=1", "s3://b.c?endpoint=http%3A%2F%2Fh%3A1&path-style=true&region=us-east-1"},
		{"s3://b?endpoint=https%3A%2F%2Fh&path-style=false&region=auto", "s3://b?endpoint=https%3A%2F%2Fh&region=auto"},
		{"s3://b", ""},
		{"s3://", ""},
		{"s3:///b?region=x", ""},
		{"s3://b:80?region=x", ""},
		{"s3://user@b?region=x", ""},
		{"s3://b--use1-az4--x-s3?region=x", ""},
		{"s3://b?region=x&zone=y", ""},
		{"s3://b?region=x&path-style=perhaps", ""},
		{"s3://b?region=x&endpoint=", ""},
		{"s3://b?region=x&endpoint=h:1", ""},
		{"s3://b?region=x&endpoint=ftp://h", ""},
		{"s3://b?region=x&endpoint=http://user:hidden@h", ""},
		{"s3://b?region=x&endpoint=http://h%3Fsig=hidden", ""},
		{"s3://b?region=x&endpoint=http://h%23hidden", ""},
		{"s3://b?region=x&endpoint=hidden", ""},
	} {
		b, err := storage.Open(t.Context(), c.url)
		if c.want == "" {
			if !errors.Is(err, fs.ErrInvalid) && !strings.Contains(c.url, "user@") || err == nil || strings.Contains(err.Error(), "hidden") {
				t.Errorf("%s: %v", c.url, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		if b.URL() != c.want {
			t.Errorf("%s is %s, want %s", c.url, b.URL(), c.want)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestOpenElsewhere has the environment say what a worker's does not.
func TestOpenElsewhere(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-north-1")
	t.Setenv("AWS_ENDPOINT_URL_S3", "https://store.example")
	b := open(t, "s3://b/p")
	if want := "s3://b/p?endpoint=https%3A%2F%2Fstore.example&region=eu-north-1"; b.URL() != want {
		t.Errorf("the URL is %s, want %s", b.URL(), want)
	}
}
