package azstore

import (
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
)

func TestURLs(t *testing.T) {
	t.Parallel()
	key := variables(keyVariable, "c2VjcmV0")
	for from, want := range map[string]string{
		"az://account/container":                   "az://account/container",
		"az://account/container/":                  "az://account/container",
		"az://account/container/a/b%20c/":          "az://account/container/a/b%20c",
		"az://account/$web/a":                      "az://account/$web/a",
		"az://account/c-1?endpoint=http://h:1/acc": "az://account/c-1?endpoint=http%3A%2F%2Fh%3A1%2Facc",
		"az://account/container/p?endpoint=https://account.blob.core.windows.net/": "az://account/container/p",
	} {
		u, err := url.Parse(from)
		if err != nil {
			t.Fatal(err)
		}
		b, err := openWith(u, key)
		if err != nil {
			t.Errorf("%s: %v", from, err)
			continue
		}
		if b.URL() != want {
			t.Errorf("%s opens as %s, want %s", from, b.URL(), want)
		}
	}
}

func TestBadURLs(t *testing.T) {
	t.Parallel()
	for from, words := range map[string]string{
		"az://account":                                      "az://account/container",
		"az:///container":                                   "storage account",
		"az://Acc_ount/container":                           "storage account",
		"az://account:80/container":                         "storage account",
		"az://account.blob.core.windows.net/container":      "storage account",
		"az://account/Container":                            "container",
		"az://account/c--d":                                 "container",
		"az://account/ab":                                   "container",
		"az://me@account/container":                         "environment",
		"az://account/container?region=x":                   "endpoint",
		"az://account/container?endpoint=h":                 "https://host",
		"az://account/container?endpoint=https://h?sig=abc": "environment",
		"az://account/container?endpoint=https://x:abc@h":   "environment",
	} {
		_, err := storage.Open(t.Context(), from)
		if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "abc") {
			t.Errorf("%s: %v, want words on %q", from, err, words)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for key, ok := range map[string]bool{
		"a": true, "a.b/c": true, ".a": true, "a/.b": true, "a//b": true, "a/": true,
		"a.": false, "a./b": false, `a\b`: false, "...": false,
		strings.Repeat("a/", 253) + "a": true, strings.Repeat("a/", 254) + "a": false,
	} {
		if err := checkKey(key); (err == nil) != ok || err != nil && !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// TestBlockSizes is about objects that no test can hold.
func TestBlockSizes(t *testing.T) {
	t.Parallel()
	total := int64(0)
	for i := range mostBlocks {
		size := int64(blockSize(i))
		if size < smallBlock || size > 64<<20 || i > 0 && size < int64(blockSize(i-1)) {
			t.Fatalf("block %d has %d bytes", i, size)
		}
		total += size
	}
	if total>>30 != 1250 {
		t.Errorf("an object has at most %d GiB", total>>30)
	}
	if id := newID(); len(id) != 48 || id == newID() {
		t.Errorf("the name of a block: %q", id)
	}
}

// TestSignatureOverHTTP: a shared access signature is sent over http to this machine alone.
func TestSignatureOverHTTP(t *testing.T) {
	t.Parallel()
	for endpoint, ok := range map[string]bool{
		"http://127.0.0.1:10000/account": true, "http://localhost:10000/account": true, "http://[::1]:10000/account": true,
		"https://example.com/account": true, "http://example.com/account": false, "http://10.0.0.1/account": false,
	} {
		u, err := url.Parse("az://account/container?" + url.Values{"endpoint": {endpoint}}.Encode())
		if err != nil {
			t.Fatal(err)
		}
		b, err := openWith(u, variables(sasVariable, "sv=2024&sig=SECRET"))
		if (err == nil) != ok {
			t.Errorf("%s: %v", endpoint, err)
		}
		if err == nil {
			b.Close()
		} else if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: the error holds the signature", endpoint)
		}
	}
}
