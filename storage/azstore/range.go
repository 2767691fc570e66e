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

// part is the answer to a request for a range: its head has come, its body not yet.
type part struct {
	etag        string
	size, total int64 // of the part, of the object
	sum         []byte
	body        io.ReadCloser
}

// fetch asks for a range of one version of an object; of any version, where the tag is empty.
func (b *bucket) fetch(ctx context.Context, key string, off, n int64, etag string) (*part, error) {
	yes := true
	o := blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: off, Count: n}, RangeGetContentMD5: &yes}
	if etag != "" {
		o.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: quoted(etag)}}
	}
	ctx = b.begin(ctx, kindGet, key)
	r, err := b.client.DownloadStream(ctx, &o)
	if err != nil {
		return nil, err
	}
	p := &part{etag: bare(r.ETag), sum: r.ContentMD5}
	if r.ContentLength != nil {
		p.size = *r.ContentLength
	}
	// A body that is cut goes on where it was cut, three times, and on the same version.
	p.body = r.NewRetryReader(ctx, &blob.RetryReaderOptions{MaxRetries: 3, EarlyCloseAsError: true})
	if r.ContentRange != nil {
		p.total, err = objectSize(*r.ContentRange, off)
	} else {
		err = errors.New("the answer does not tell its range")
	}
	if err == nil && p.size != min(n, p.total-off) {
		err = fmt.Errorf("the answer has %d bytes of %d", p.size, min(n, p.total-off))
	}
	if err != nil {
		p.body.Close()
		return nil, err
	}
	return p, nil
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

// read returns a range of one version, which is asked for once more where it came damaged. p is the answer, where the
// first request is sent already.
func (b *bucket) read(ctx context.Context, p *part, key string, off, n int64, etag string) ([]byte, error) {
	for again := false; ; again = true {
		if p == nil {
			var err error
			if p, err = b.fetch(ctx, key, off, n, etag); err != nil {
				return nil, err
			}
		}
		data, err := p.load()
		if again || !errors.Is(err, storage.ErrDamaged) {
			return data, err
		}
		b.send.counts.retries.Add(1)
		p = nil
	}
}

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
