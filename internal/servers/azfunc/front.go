package azfunc

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// serveFront is what answers at an app's own address: the front's limits, the host's routes and keys, and the handler.
func (a *site) serveFront(w http.ResponseWriter, r *http.Request) {
	f, o := &a.server.Faults, a.server.options
	switch {
	case strikes(&f.Throttled):
		http.Error(w, "", http.StatusTooManyRequests)
		return
	case strikes(&f.Full):
		http.Error(w, "", http.StatusServiceUnavailable)
		return
	case strikes(&f.Mute):
		_, _ = io.Copy(io.Discard, r.Body) // whose end the caller's is seen after
		hang(r)
		return
	case strikes(&f.Page):
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><html><title>Sign in to the network</title></html>") // the caller may be gone
		return
	case strikes(&f.Unavailable):
		http.Error(w, "The host has an error:\r\n  the worker's process ended", http.StatusInternalServerError)
		return
	}
	a.mu.Lock()
	h, key, gone := a.host, a.key, a.gone
	a.mu.Unlock()
	if gone {
		http.Error(w, "404 Web Site not found.", http.StatusNotFound)
		return
	}
	if h == nil {
		http.Error(w, "Function host is not running.", http.StatusServiceUnavailable)
		return
	}
	fn := h.route(r.URL.Path)
	switch {
	case fn == nil || !fn.takes(r.Method):
		http.Error(w, "", http.StatusNotFound)
		return
	case fn.Bindings[0].AuthLevel != "anonymous" && r.Header.Get("X-Functions-Key") != key && r.URL.Query().Get("code") != key:
		http.Error(w, "", http.StatusUnauthorized)
		return
	case r.ContentLength > o.MaxRequest:
		http.Error(w, "", http.StatusRequestEntityTooLarge)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, o.MaxRequest)
	ctx, cancel := context.WithTimeout(r.Context(), min(o.Cut, h.timeout))
	defer cancel()
	i, err := h.take(ctx)
	if err != nil {
		h.fail(ctx, w, err)
		return
	}
	defer h.free(i)
	h.pass(ctx, w, r, i)
}

// takes reports whether a function has a method.
func (f *function) takes(method string) bool {
	if f.Bindings[0].Methods == nil {
		return true
	}
	for _, m := range f.Bindings[0].Methods {
		if strings.EqualFold(m, method) {
			return true
		}
	}
	return false
}

// fail answers for a request that no instance took.
func (h *host) fail(ctx context.Context, w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, errBusy):
		http.Error(w, "", http.StatusTooManyRequests)
	case ctx.Err() != nil:
		http.Error(w, "", http.StatusGatewayTimeout)
	default:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// pass hands a request to the handler and its answer back: as it comes, where the host proxies; whole, where it forwards.
func (h *host) pass(ctx context.Context, w http.ResponseWriter, r *http.Request, i *instance) {
	faults := &h.site.server.Faults
	if strikes(&faults.Doubled) {
		if err := i.sendFirst(ctx, r); err != nil {
			h.fail(ctx, w, err)
			return
		}
	}
	orphaned := strikes(&faults.Orphaned)
	if orphaned {
		ctx = context.WithoutCancel(ctx)
	}
	resp, err := i.send(ctx, r)
	if err != nil {
		h.fail(ctx, w, err)
		return
	}
	defer resp.Body.Close()
	if strikes(&faults.Lost) {
		_, _ = io.Copy(io.Discard, resp.Body) // all that counts is that it was done
		panic(http.ErrAbortHandler)
	}
	var body io.Reader = resp.Body
	if !h.file.CustomHandler.EnableProxyingHTTPRequest {
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			h.fail(ctx, w, err)
			return
		}
		body = strings.NewReader(string(data))
	}
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	out := http.NewResponseController(w)
	if err := out.Flush(); err != nil {
		return
	}
	reset, killed := strikes(&faults.Reset), strikes(&faults.Killed)
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		if n > 0 && reset {
			n = (n + 1) / 2
			err = io.ErrUnexpectedEOF
		}
		if _, werr := w.Write(buf[:n]); werr != nil {
			return
		}
		if ferr := out.Flush(); ferr != nil {
			return
		}
		if orphaned && n > 0 {
			if conn, _, err := out.Hijack(); err == nil {
				_ = conn.Close() // it is gone in any case
			}
			_, _ = io.Copy(io.Discard, body) // nobody has it
			return
		}
		if killed && n > 0 {
			killed = false
			i.kill()
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler) // a broken answer must not look like a whole one
		}
	}
}

// send hands the request on. The host tries again where no connection came about, and only there: what it has begun to
// send it cannot send again.
func (i *instance) send(ctx context.Context, r *http.Request) (*http.Response, error) {
	out := r.Clone(ctx)
	out.URL.Scheme, out.URL.Host, out.RequestURI = "http", i.addr, ""
	out.Header.Set("X-Azure-Functions-InvocationId", rand.Text())
	out.Header.Set("X-Azure-Functions-HostVersion", "4.1042.0.0")
	delay := 50 * time.Millisecond
	for attempt := 1; ; attempt++ {
		resp, err := i.client.RoundTrip(out)
		var op *net.OpError
		if err == nil || attempt == 10 || !errors.As(err, &op) || op.Op != "dial" {
			return resp, err
		}
		select {
		case <-i.exited:
			return nil, err // the host notices as well, and starts another
		case <-ctx.Done():
			return nil, err
		case <-time.After(delay):
		}
		delay = min(2*delay, 250*time.Millisecond)
	}
}

// sendFirst sends a request on of which nobody gets the answer, and leaves it to be sent again.
func (i *instance) sendFirst(ctx context.Context, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := i.send(ctx, r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err
}
