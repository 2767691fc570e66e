package azstore

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gowren/gowren/storage"
)

// List implements [storage.Bucket]. A request yields up to 5,000 objects.
func (b *bucket) List(ctx context.Context, prefix string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		last := ""
		for marker := ""; ; {
			p, err := b.listed(ctx, prefix, marker)
			if err != nil {
				yield(storage.Object{}, b.fail(ctx, "list", prefix, err))
				return
			}
			for _, found := range p.Blobs {
				o, err := found.object()
				if found.Properties.ResourceType == "directory" {
					continue
				}
				if err == nil && o.Key <= last {
					err = fmt.Errorf("the store lists %q after %q, which is not the order of bytes", o.Key, last)
				}
				if err != nil {
					yield(storage.Object{}, b.fail(ctx, "list", prefix, err))
					return
				}
				last = o.Key
				if !yield(o, nil) {
					return
				}
			}
			if marker = p.NextMarker; marker == "" {
				return
			}
		}
	}
}

// page is an answer to a request for a listing.
type page struct {
	Blobs      []listed `xml:"Blobs>Blob"`
	NextMarker string
}

// listed is an object in a listing.
type listed struct {
	Name struct {
		Encoded bool   `xml:",attr"` // where XML cannot hold it
		Text    string `xml:",chardata"`
	}
	Properties struct {
		LastModified string `xml:"Last-Modified"`
		ETag         string `xml:"Etag"`
		Size         int64  `xml:"Content-Length"`
		ResourceType string
	}
}

// listed asks for a page. The SDK reads the page's body as that of a blob, which is not to be read on where it is cut: a
// cut page is an error.
func (b *bucket) listed(ctx context.Context, prefix, marker string) (*page, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !utf8.ValidString(prefix) || strings.ContainsFunc(prefix, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return &page{}, nil // no key begins like that, and XML cannot repeat it
	}
	ctx = b.begin(ctx, kindList, "")
	q := url.Values{"restype": {"container"}, "comp": {"list"}}
	if prefix != "" {
		q.Set("prefix", prefix)
	}
	if b.page > 0 {
		q.Set("maxresults", strconv.Itoa(b.page))
	}
	if marker != "" {
		q.Set("marker", marker)
	}
	callOf(ctx).query = strings.ReplaceAll(q.Encode(), "+", "%20")
	r, err := b.client.DownloadStream(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("the listing is cut: %w", err)
	}
	p := &page{}
	if err := xml.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), p); err != nil {
		return nil, fmt.Errorf("the listing cannot be read: %w", err)
	}
	return p, nil
}

func (l *listed) object() (o storage.Object, err error) {
	o = storage.Object{Key: l.Name.Text, Size: l.Properties.Size, ETag: strings.Trim(l.Properties.ETag, `"`)}
	if l.Name.Encoded {
		if o.Key, err = url.PathUnescape(l.Name.Text); err != nil {
			return o, fmt.Errorf("the listing's name %q cannot be read: %w", l.Name.Text, err)
		}
	}
	if o.Modified, err = time.Parse(http.TimeFormat, l.Properties.LastModified); err != nil {
		return o, fmt.Errorf("the listing's time of %q cannot be read: %w", o.Key, err)
	}
	return o, nil
}
