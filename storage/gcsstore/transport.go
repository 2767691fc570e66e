package gcsstore

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gowren/gowren/storage"
)

// newConnections returns the pool of connections. There is no limit on the time of a transfer: a stalled one ends with
// its context.
func newConnections() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // over HTTP/2, all that runs in parallel would share one connection
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: time.Minute, // counts from the end of the request
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		ReadBufferSize:        64 << 10,
		WriteBufferSize:       64 << 10,
		Protocols:             protocols,
	}
}

// transport sends requests, counts them, and adds the credentials.
type transport struct {
	base     *http.Transport
	auth     authorizer
	answered *atomic.Bool // set when the service answers for the bucket
}

// errDecoded ends the read of an object that a server between has decompressed: offsets would not fit.
var errDecoded = errors.New("the object has Content-Encoding gzip, and was decompressed on the way")

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	c := callOf(req.Context())
	r := req.Clone(req.Context())
	err := c.sending(r)
	if err == nil && r.URL.Scheme == "https" {
		err = t.auth.authorize(r)
	}
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // as a RoundTripper must, and there is nothing to be lost
		}
		return nil, err
	}
	media := r.URL.Query().Get("alt") == "media"
	if media {
		r.Header.Set("Accept-Encoding", "gzip") // so that neither the service nor net/http decompresses
	}
	if r.Header.Get("Content-Range") != "" && r.Body != nil && r.Body != http.NoBody {
		r.Body = &metered{c.meter.Sending(r.Body), r.Body}
	}
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if c.kind == storage.KindPut && !c.session.Load() {
		c.meter.Sent(c.size.Load()) // and not what is around the object
	}
	if resp.StatusCode/100 == 2 {
		t.answered.Store(true)
		if media {
			c.answered.Store(true)
			if err := plain(resp.Header); err != nil {
				resp.Body.Close()
				return nil, err
			}
			resp.Body = c.meter.Receiving(resp.Body)
		}
	}
	return resp, nil
}

// metered is the body of a part, whose bytes are counted.
type metered struct {
	io.Reader
	io.Closer
}

// plain hides from the SDK that an object's bytes are compressed: it would take them for changed on the way, check no
// sum, and skip some when it goes on after a cut.
func plain(h http.Header) error {
	if h.Get("X-Goog-Stored-Content-Encoding") == "gzip" && h.Get("Content-Encoding") != "gzip" {
		return errDecoded
	}
	h.Del("Content-Encoding")
	h.Del("X-Goog-Stored-Content-Encoding")
	return nil
}

// CloseIdleConnections lets http.Client reach those of the pool.
func (t *transport) CloseIdleConnections() { t.base.CloseIdleConnections() }
