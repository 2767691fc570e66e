package httpworker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gowren/gowren/backends"
)

func transport(c ClientConfig) *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		// Address translation on the way forgets a connection that is silent for minutes.
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        c.Connections,
		MaxIdleConnsPerHost: c.Connections,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
		// A connection of HTTP/2 that died is found out, and not used for the next requests.
		HTTP2:           &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
		WriteBufferSize: 4 << 10,
		ReadBufferSize:  4 << 10,
	}
}

// answerTime bounds how long a short answer may take, once it has begun.
const answerTime = 10 * time.Second

// answer is a response whose request's context ends with it.
type answer struct {
	*http.Response
	sent   *bodies
	cancel context.CancelCauseFunc
}

// holds reports whether the answer's content is of a type.
func (a *answer) holds(kind string) bool {
	got, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	return err == nil && got == kind
}

// within ends the answer after a time, unless it is stopped.
func (a *answer) within(d time.Duration) (stop func()) {
	t := time.AfterFunc(d, func() { a.cancel(fmt.Errorf("its answer did not end within %v", d)) })
	return func() { t.Stop() }
}

func (a *answer) Read(p []byte) (int, error) { return a.Body.Read(p) }

// Close ends the request, and returns when its body is no longer read: it is the caller's again.
func (a *answer) Close() error {
	err := a.Body.Close()
	a.cancel(nil)
	a.sent.open.Wait()
	return err
}

// bodies are a request's body, which tells when it is no longer read: net/http may read on when the answer is there
// already. It is more than one where net/http found a connection dead before it had written anything, and took another.
type bodies struct {
	data []byte
	open sync.WaitGroup
}

func (b *bodies) next() (io.ReadCloser, error) {
	b.open.Add(1)
	return &body{reader: bytes.NewReader(b.data), done: sync.OnceFunc(b.open.Done)}, nil
}

type body struct {
	reader *bytes.Reader
	done   func()
}

func (b *body) Read(p []byte) (int, error) { return b.reader.Read(p) }

func (b *body) Close() error {
	b.done()
	return nil
}

// send makes a request, and waits for the beginning of its answer.
func (c *Client) send(ctx context.Context, method, path string, data []byte, header http.Header) (*answer, error) {
	inside, cancel := context.WithCancelCause(ctx)
	sent := &bodies{data: data}
	req, err := http.NewRequestWithContext(inside, method, c.base.JoinPath(path).String(), http.NoBody)
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("httpworker: %w: %w", backends.ErrInvalid, err)
	}
	req.URL.RawQuery = c.base.RawQuery
	req.Header = header
	late := time.AfterFunc(c.config.Start, func() { cancel(fmt.Errorf("no answer began within %v", c.config.Start)) })
	defer late.Stop()
	if c.config.Authorize != nil {
		err := c.config.Authorize(req)
		if inside.Err() != nil {
			err = context.Cause(inside)
		}
		if err != nil {
			cancel(nil)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if !classed(err) { // nothing was sent, and so nothing is lost
				err = fmt.Errorf("%w: %w", backends.ErrThrottled, err)
			}
			return nil, fmt.Errorf("httpworker: %s: %w: %w", c.base.Host, ErrAuthorize, err)
		}
	}
	if len(data) > 0 {
		req.Body, _ = sent.next()
		req.GetBody, req.ContentLength = sent.next, int64(len(data))
	}
	resp, err := c.http.Do(req)
	if late.Stop(); ctx.Err() == nil && err == nil {
		return &answer{resp, sent, cancel}, nil
	}
	if err == nil {
		_ = resp.Body.Close() // the caller has gone
	}
	why := context.Cause(inside)
	cancel(nil)
	sent.open.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case why != nil:
		err = why
	}
	return nil, fmt.Errorf("httpworker: %s %s: %w", c.base.Host, path, bare(err))
}

// bare is the error without the URL, with what a platform's query holds.
func bare(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return err
}

// classed reports whether an error is of a class of package backends.
func classed(err error) bool {
	return errors.Is(err, backends.ErrThrottled) || errors.Is(err, backends.ErrRefused) || errors.Is(err, backends.ErrInvalid)
}

// lose makes an error that has no class a lost worker's: something may have run, and still be running unless its end was
// told.
func lose(ctx context.Context, err error, told bool, worker string, begun time.Time) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if classed(err) {
		return err
	}
	lost := &backends.LostError{Worker: worker, Cause: err, Ran: time.Since(begun)}
	if told || errors.Is(err, ErrUnreachable) {
		return lost
	}
	return running{lost}
}
