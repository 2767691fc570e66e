package s3store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/gowren/gowren/storage"
)

// Get asks for the first part of the range. That is one request where it is the whole range, and tells the size and the
// version of the object where it is not. Its reader knows the version, and reads no other.
func (b *bucket) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	err := b.check(ctx, key)
	if err == nil && off < 0 {
		err = fmt.Errorf("%w: the offset %d is negative", fs.ErrInvalid, off)
	}
	if err != nil {
		return nil, b.fail(ctx, "get", key, err)
	}
	r := &reader{b: b, ctx: ctx, key: key, off: off}
	if n == 0 { // S3 has no such range
		out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key})
		if err != nil {
			return nil, b.fail(ctx, "get", key, err)
		}
		r.etag = aws.ToString(out.ETag)
		return r, nil
	}
	want := int64(partSize)
	if n > 0 {
		want = min(n, want)
	}
	if off > 1<<62 { // where the range's end would overflow
		want = 1
	}
	first := &answer{space: space{take: true}}
	total, err := b.getRange(ctx, key, "", off, want, first)
	if isStatus(err, http.StatusRequestedRangeNotSatisfiable) {
		return r, nil // it begins at the object's end or past it
	}
	if err != nil {
		return nil, b.fail(ctx, "get", key, err)
	}
	r.begin(first, total, n)
	return r, nil
}

// answer is one range of an object, in memory or still to be read.
type answer struct {
	space
	etag string
	body io.ReadCloser // where it is not in memory
	size int64
	cut  bool // more comes after size
}

// shorten cuts the answer of a store that sends the whole object where a range of it was asked for.
func (a *answer) shorten(n int64) {
	if n >= a.size {
		return
	}
	a.size, a.cut = n, true
	if a.data != nil {
		a.data = a.data[:n]
	}
}

// getRange asks for n bytes from off on, of the version etag where it is given. It fills in the answer, unless it fails,
// and returns the size of the object.
func (b *bucket) getRange(ctx context.Context, key, etag string, off, n int64, a *answer) (int64, error) {
	in := &s3.GetObjectInput{
		Bucket: &b.name, Key: &key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", off, off+n-1)),
	}
	if etag != "" {
		in.IfMatch = &etag
	}
	out, err := b.client.GetObject(context.WithValue(ctx, spaceKey{}, &a.space), in)
	if err != nil {
		a.give()
		return 0, err
	}
	a.etag, a.size = aws.ToString(out.ETag), aws.ToInt64(out.ContentLength)
	if a.data == nil {
		a.body = out.Body
	}
	total, err := totalOf(out, off)
	switch {
	case err != nil:
	case etag != "" && a.etag != etag: // of a store that knows no If-Match
		err = fmt.Errorf("%w: the store answers with the version %s instead of %s", storage.ErrChanged, a.etag, etag)
	case out.ContentRange != nil && a.size != min(n, total-off):
		err = fmt.Errorf("%w: the store answers %d bytes from %d on with %d, of an object of %d",
			io.ErrUnexpectedEOF, n, off, a.size, total)
	}
	if err != nil {
		a.close()
	}
	return total, err
}

// totalOf returns the size of the object from an answer. A store that knows no ranges sends all.
func totalOf(out *s3.GetObjectOutput, off int64) (int64, error) {
	got := aws.ToString(out.ContentRange)
	if got == "" && off == 0 {
		return aws.ToInt64(out.ContentLength), nil
	}
	first, _, total, err := parseRange(got)
	if err != nil || first != off {
		return 0, fmt.Errorf("the store answers a range from %d on with the range %q", off, got)
	}
	return total, nil
}

// parseRange reads a Content-Range: "bytes 0-99/1234".
func parseRange(s string) (first, last, total int64, err error) {
	span, size, _ := strings.Cut(strings.TrimPrefix(s, "bytes "), "/")
	from, to, _ := strings.Cut(span, "-")
	first, err1 := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	total, err3 := strconv.ParseInt(size, 10, 64)
	return first, last, total, errors.Join(err1, err2, err3)
}

// close gives back the memory and the connection.
func (a *answer) close() {
	a.give()
	if a.body != nil {
		a.body.Close()
		a.body = nil
	}
}
