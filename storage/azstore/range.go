package azstore

import (
	"bytes"
	"context"
	"crypto/md5" // the checksum of the service
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/gowren/gowren/storage"
)

// rangeSize is how many bytes a request reads at most: what the service gives a checksum of.
const rangeSize = 4 << 20

// span is a range of an object that is asked for.
type span struct {
	bucket *bucket
	ctx    context.Context // of the call, see begin
	off, n int64
	etag   string // of the version; empty for any
}

// span prepares to ask for a range.
func (b *bucket) span(ctx context.Context, key string, off, n int64, etag string) *span {
	return &span{b, b.begin(ctx, kindGet, key), off, n, etag}
}

// part is the answer: its head has come, its body not yet.
type part struct {
	etag        string
	size, total int64 // of the part, of the object
	sum         []byte
	body        io.ReadCloser
}

// ask sends the request.
func (s *span) ask() (*part, error) {
	yes := true
	o := blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: s.off, Count: s.n}, RangeGetContentMD5: &yes}
	if s.etag != "" {
		o.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: quoted(s.etag)}}
	}
	r, err := s.bucket.client.DownloadStream(s.ctx, &o)
	if err != nil {
		return nil, err
	}
	p := &part{etag: bare(r.ETag), sum: r.ContentMD5, body: r.Body}
	if r.ContentLength != nil {
		p.size = *r.ContentLength
	}
	if r.ContentRange != nil {
		p.total, err = objectSize(*r.ContentRange, s.off)
	} else {
		err = errors.New("the answer does not tell its range")
	}
	if want := min(s.n, p.total-s.off); err == nil && p.size != want {
		err = fmt.Errorf("the answer has %d bytes, of %d", p.size, want)
	}
	if err != nil {
		p.body.Close()
		return nil, err
	}
	return p, nil
}

// tries is how often a range is asked for whose answer is cut or damaged. How often one is asked for that has no answer,
// the SDK knows.
const tries = 3

// read returns the bytes. p is the answer, where the first request is sent already.
func (s *span) read(p *part) (data []byte, err error) {
	for range tries {
		if p == nil {
			if p, err = s.ask(); err != nil {
				return nil, err
			}
			if s.etag == "" {
				s.etag = p.etag
			}
		}
		if data, err = p.load(); err == nil || s.ctx.Err() != nil {
			return data, err
		}
		p = nil
	}
	return nil, err
}

// objectSize reads a header of the form "bytes 0-9/100".
func objectSize(header string, off int64) (int64, error) {
	given, total, ok := strings.Cut(header, "/")
	if n, err := strconv.ParseInt(total, 10, 64); ok && err == nil && strings.HasPrefix(given, fmt.Sprintf("bytes %d-", off)) {
		return n, nil
	}
	return 0, fmt.Errorf("the answer is for another range than that from %d on: %q", off, header)
}

// ranges holds memory for parts.
var ranges = sync.Pool{New: func() any { return new([rangeSize]byte) }}

// load reads the part, and verifies it.
func (p *part) load() ([]byte, error) {
	defer p.body.Close()
	var data []byte
	if p.size > rangeSize/4 {
		data = ranges.Get().(*[rangeSize]byte)[:p.size]
	} else {
		data = make([]byte, p.size)
	}
	if _, err := io.ReadFull(p.body, data); err != nil {
		return nil, fmt.Errorf("the answer is cut: %w", err)
	}
	if len(p.sum) == 0 {
		return nil, errors.New("the store gives no checksum of what it sends")
	}
	if sum := md5.Sum(data); !bytes.Equal(sum[:], p.sum) {
		return nil, storage.ErrDamaged
	}
	return data, nil
}

// done gives a part's memory back.
func done(data []byte) {
	if cap(data) == rangeSize {
		ranges.Put((*[rangeSize]byte)(data[:rangeSize]))
	}
}
