package azstore

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/storage"
)

// lists is a store that answers to a marker with a page.
func lists(t *testing.T, pages map[string]string) *bucket {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.URL.Path != "/account/container" || q.Get("comp") != "list" || q.Get("restype") != "container" || q.Get("prefix") != "a b" {
			t.Errorf("%s %s", r.Method, r.RequestURI)
		}
		_, _ = io.WriteString(w, pages[q.Get("marker")])
	}))
	t.Cleanup(s.Close)
	return opened(t, "az://account/container?endpoint="+s.URL+"/account", variables(keyVariable, "a2V5"))
}

func entry(name, properties string) string {
	return fmt.Sprintf("<Blob>%s<Properties><Creation-Time>x</Creation-Time><Last-Modified>Sun, 27 Sep 2009 18:41:57 GMT</Last-Modified>"+
		"<Etag>0x8CBFF45D8A29A19</Etag><Content-Length>%d</Content-Length>%s<BlobType>BlockBlob</BlobType></Properties><OrMetadata /></Blob>", name, len(name), properties)
}

func listing(marker string, entries ...string) string {
	return "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"https://x/\" ContainerName=\"c\">" +
		"<Prefix>a b</Prefix><MaxResults>5000</MaxResults><Blobs>" + strings.Join(entries, "") + "</Blobs><NextMarker>" + marker + "</NextMarker></EnumerationResults>"
}

// TestList has answers as Azure gives them, which the emulator does not all give.
func TestList(t *testing.T) {
	t.Parallel()
	b := lists(t, map[string]string{
		"": listing("2!8!+/=&amp;",
			entry("<Name> a&amp;b </Name>", ""), entry("<Name>a.</Name>", ""), entry("<Name>a/</Name>", ""),
			entry("<Name>b</Name>", "<ResourceType>directory</ResourceType>"), entry("<Name>b/c</Name>", "<ResourceType>file</ResourceType>")),
		"2!8!+/=&": listing("3"), // a page may be empty
		"3":        listing("", entry("<Name Encoded=\"true\">c%20%EF%BF%BE</Name>", "")),
	})
	var got []string
	for o, err := range b.List(t.Context(), "a b") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Key)
		if o.ETag != "0x8CBFF45D8A29A19" || !o.Modified.Equal(time.Date(2009, 9, 27, 18, 41, 57, 0, time.UTC)) || o.Size == 0 {
			t.Errorf("%+v", o)
		}
	}
	if want := []string{" a&b ", "a.", "a/", "b/c", "c \ufffe"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if n := b.Stats().Requests[storage.KindList]; n != 3 {
		t.Errorf("%d requests", n)
	}
}

// TestNoPrefix lists what no key begins with, and XML cannot hold.
func TestNoPrefix(t *testing.T) {
	t.Parallel()
	b, _ := fresh(t)
	for _, prefix := range []string{"\xff", "a\x00", "\n", strings.Repeat("a", 1100)} {
		for o, err := range b.List(t.Context(), prefix) {
			t.Errorf("%q: %q, %v", prefix, o.Key, err)
		}
	}
}

func TestBadList(t *testing.T) {
	t.Parallel()
	for name, pages := range map[string]map[string]string{
		"out of order":            {"": listing("", entry("<Name>b</Name>", ""), entry("<Name>a</Name>", ""))},
		"out of order, two pages": {"": listing("m", entry("<Name>b</Name>", "")), "m": listing("", entry("<Name>b</Name>", ""))},
		"no XML":                  {"": "{}"},
		"half":                    {"": listing("", entry("<Name>b</Name>", ""))[:300]},
		"bad name":                {"": listing("", entry("<Name Encoded=\"true\">%zz</Name>", ""))},
	} {
		var last error
		n := 0
		for _, err := range lists(t, pages).List(t.Context(), "a b") {
			last = err
			n++
		}
		if !errors.As(last, new(*storage.Error)) || n > 2 {
			t.Errorf("%s: %d, %v", name, n, last)
		}
	}
}
