package gcpfunctions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/gowren/gowren/backends"
)

// put sends a file to a signed URL, with the header that was signed and no other.
func (c *control) put(ctx context.Context, signed string, source *os.File, size int64) error {
	if _, err := source.Seek(0, io.SeekStart); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, signed, io.NopCloser(source))
	if err != nil {
		return fmt.Errorf("%w: the service named no URL", backends.ErrInvalid)
	}
	req.ContentLength = size
	req.Header.Set("Content-Type", "application/zip")
	resp, err := c.plain.RoundTrip(req)
	if err != nil {
		var inside *url.Error
		if errors.As(err, &inside) {
			err = inside.Err
		}
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 2<<10)) // what came of it is told
	text := fmt.Sprintf("the service answered %s: %.300s", resp.Status, strings.Join(strings.Fields(string(said)), " "))
	if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
		return errors.New(text)
	}
	return fmt.Errorf("%w: %s", backends.ErrInvalid, text)
}
