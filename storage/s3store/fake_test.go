package s3store_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/s3store"
)

// fake returns a bucket of a store that answers as no server at hand does.
func fake(t *testing.T, path string, h http.HandlerFunc) storage.Bucket {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return open(t, "s3://bucket"+path+"?"+url.Values{
		"endpoint": {s.URL}, "region": {"us-east-1"}, "path-style": {"true"},
	}.Encode())
}

// ranges answers as S3 does a Get of data, with more headers. Its ETag is "v1" where the header names none.
func ranges(w http.ResponseWriter, r *http.Request, data string, header map[string]string) {
	w.Header().Set("ETag", `"v1"`)
	for name, value := range header {
		w.Header().Set(name, value)
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		return
	}
	var from, to int
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if from >= len(data) {
		w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		return
	}
	to = min(to, len(data)-1)
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(data)))
	w.Header().Set("Content-Length", strconv.Itoa(to-from+1))
	w.WriteHeader(http.StatusPartialContent)
	_, _ = io.WriteString(w, data[from:to+1]) // the client may be gone
}

// crc is a CRC32 as S3 writes it, of the sums of parts where there are several.
func crc(parts ...string) string {
	var sums []byte
	for _, p := range parts {
		sums = binary.BigEndian.AppendUint32(sums, crc32.ChecksumIEEE([]byte(p)))
	}
	if len(parts) > 1 {
		return crc(string(sums))
	}
	return base64.StdEncoding.EncodeToString(sums)
}

// TestChecksumTypes reads objects whose checksum is not one of the bytes that come with it, and such as are damaged.
func TestChecksumTypes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		size      int
		sum, kind string // kind is empty where the store sends none
		n         int64
		want      error
	}{
		"of parts":              {short, crc(text(9), "rest"), "COMPOSITE", -1, nil},
		"of parts, large":       {long, crc(text(9), "rest"), "COMPOSITE", -1, nil},
		"of parts, numbered":    {short, crc(text(9), "rest") + "-2", "", -1, nil},
		"of parts, 9 bytes":     {short, crc(text(9), "rest"), "COMPOSITE", 9, nil},
		"of the whole":          {short, crc(text(short)), "FULL_OBJECT", -1, nil},
		"of the whole, 9 bytes": {short, crc(text(short)), "FULL_OBJECT", 9, nil},
		"untyped":               {short, crc(text(short)), "", -1, nil},
		"untyped, 9 bytes":      {short, crc(text(short)), "", 9, nil},
		"damaged":               {short, crc("other"), "FULL_OBJECT", -1, storage.ErrDamaged},
		"damaged, large":        {long, crc("other"), "FULL_OBJECT", -1, storage.ErrDamaged},
		"damaged, untyped":      {short, crc("other"), "", -1, storage.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := map[string]string{"x-amz-checksum-crc32": c.sum}
			if c.kind != "" {
				header["x-amz-checksum-type"] = c.kind
			}
			b := fake(t, "", func(w http.ResponseWriter, r *http.Request) { ranges(w, r, text(c.size), header) })
			want := text(c.size)
			if c.n >= 0 {
				want = want[:c.n]
			}
			got, err := getRange(t, b, 0, c.n)
			if !errors.Is(err, c.want) || c.want == nil && got != want {
				t.Errorf("%d bytes, %v; want %d, %v", len(got), err, len(want), c.want)
			}
		})
	}
}

// getRange reads n bytes from off on.
func getRange(t *testing.T, b storage.Bucket, off, n int64) (string, error) {
	t.Helper()
	r, err := b.Get(t.Context(), "k", off, n)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

// TestLaterRanges has a store answer the second range with something else than the rest of what the first began.
func TestLaterRanges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		later func(w http.ResponseWriter, r *http.Request)
		want  error
	}{
		"another version": {func(w http.ResponseWriter, r *http.Request) {
			ranges(w, r, text(2 * long)[long:], map[string]string{"ETag": `"v2"`})
		}, storage.ErrChanged},
		"no version": {func(w http.ResponseWriter, r *http.Request) {
			ranges(w, r, text(2 * long)[long:], map[string]string{"ETag": ""})
		}, storage.ErrChanged},
		"shorter object": {func(w http.ResponseWriter, r *http.Request) {
			ranges(w, r, text(s3store.PartSize+5), nil)
		}, storage.ErrChanged},
		"short": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", s3store.PartSize, s3store.PartSize+99, long))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, text(100)) // never fails
		}, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := fake(t, "", func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.Header.Get("Range"), "bytes=0-") {
					ranges(w, r, text(long), nil)
				} else {
					c.later(w, r)
				}
			})
			got, err := getRange(t, b, 0, long-1)
			if !errors.Is(err, c.want) || !strings.HasPrefix(text(long), got) {
				t.Errorf("%d bytes, %v, want %v", len(got), err, c.want)
			}
		})
	}
}

// TestShortRange has a store answer the first range with less than it holds. Another attempt reads it.
func TestShortRange(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	b := fake(t, "", func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1)%2 == 0 {
			ranges(w, r, text(short), nil)
			return
		}
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-98/%d", short))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, text(99)) // never fails
	})
	if got, err := getRange(t, b, 0, -1); !errors.Is(err, io.ErrUnexpectedEOF) || got != "" {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	asked.Store(0)
	if got, err := getRange(t, retried(b), 0, -1); got != text(short) || err != nil {
		t.Errorf("with retries: %d bytes, %v", len(got), err)
	}
}

// TestRangeIgnored has a store send the whole object whatever it is asked for.
func TestRangeIgnored(t *testing.T) {
	t.Parallel()
	for _, size := range []int{short, long} { // of which one is in memory, and one is read as it comes
		b := fake(t, "", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			w.Header().Set("Content-Length", strconv.Itoa(size))
			w.Header().Set("x-amz-checksum-crc32", crc(text(size)))
			_, _ = io.WriteString(w, text(size)) // the client may be gone
		})
		for _, n := range []int64{-1, 1, 99, short - 1, short, short + 1, s3store.PartSize, s3store.PartSize + 1, long - 1, long, long + 1} {
			want := text(size)
			if n >= 0 {
				want = want[:min(n, int64(size))]
			}
			if got, err := getRange(t, b, 0, n); got != want || err != nil {
				t.Errorf("%d of %d bytes: %d, %v", n, size, len(got), err)
			}
		}
		if got, err := getRange(t, b, 5, 5); err == nil {
			t.Errorf("of %d bytes, from 5 on: %d bytes and no error", size, len(got))
		}
	}
}
