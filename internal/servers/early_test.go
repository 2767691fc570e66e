package servers

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
)

// closing is a body that cannot be read any more once its end was told, as one that net/http has closed.
type closing struct {
	io.Reader
	at bool
}

func (c *closing) Read(p []byte) (int, error) {
	if c.at {
		return 0, errors.New("read after the end")
	}
	n, err := c.Reader.Read(p)
	c.at = err == io.EOF
	return n, err
}

// TestQuickAnswers: an answer that begins while the proxy still looks for the end of the request is not cut off.
func TestQuickAnswers(t *testing.T) {
	t.Parallel()
	url, _ := echo(t)
	p := NewProxy(t, url)
	in := httptest.NewRequest(http.MethodPost, "/base", io.NopCloser(&closing{Reader: strings.NewReader("all of it")}))
	out := in.Clone(t.Context())
	p.rewrite(&httputil.ProxyRequest{In: in, Out: out})
	for _, want := range []string{"all of it", ""} { // as net/http does: once more, for the end
		if got, err := io.ReadAll(out.Body); string(got) != want || err != nil {
			t.Errorf("read %q, %v, want %q", got, err, want)
		}
	}
}
