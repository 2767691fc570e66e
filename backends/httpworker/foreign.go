package httpworker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/gowren/gowren/backends"
)

// maxForeign is what is read of an answer that is not a worker's.
const maxForeign = 4 << 10

// foreign says what an answer means that holds no frames. It closes it.
func (c *Client) foreign(resp *answer) error {
	defer resp.Close()
	stop := resp.within(answerTime)
	body, _ := io.ReadAll(io.LimitReader(resp, maxForeign)) // what came of it is told
	stop()
	if c.config.Explain != nil && resp.Header.Get(headerWorker) == "" {
		if err := c.config.Explain(resp.StatusCode, resp.Header, body); err != nil {
			return err
		}
	}
	said := fmt.Sprintf("httpworker: %s answered %s: %s", c.base.Host, resp.Status, excerpt(resp.Header.Get("Content-Type"), body))
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests, s == http.StatusServiceUnavailable && resp.Header.Get(headerWorker) != "":
		// A worker that is about to end says so. What else answers 503 may have lost a worker in the middle of its work.
		return fmt.Errorf("%s: %w", said, backends.ErrThrottled)
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		return fmt.Errorf("%s: check the token (%s) and who may call the workers: %w", said, tokenVariable, backends.ErrRefused)
	case s == http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%s: the request is too large for what is in front of the workers: %w", said, backends.ErrInvalid)
	case s == http.StatusNotFound, s == http.StatusMethodNotAllowed:
		return fmt.Errorf("%s: there is no gowren worker at this address: %w", said, backends.ErrInvalid)
	case s >= 300 && s < 400:
		return fmt.Errorf("%s: a redirect to %q is not followed, since the token would go along: %w", said, resp.Header.Get("Location"), backends.ErrInvalid)
	case s >= 200 && s < 300:
		return fmt.Errorf("%s: that is not a gowren worker's answer: a proxy or another service may be in between", said)
	}
	return errors.New(said)
}

// excerpt is what is shown of a foreign answer: its text, in one line. What counts may be in its second.
func excerpt(kind string, body []byte) string {
	return fmt.Sprintf("%.200q (%s)", bytes.Join(bytes.Fields(body), []byte(" ")), kind)
}
