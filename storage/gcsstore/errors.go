package gcsstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/gowren/gowren/storage"
)

// classify tells an error of the SDK in this module's words. The SDK's own error is not kept: its text may hold the URL
// of an upload session, which whoever has it may write to.
func (b *Bucket) classify(ctx context.Context, c *call, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	var credential *credentialError
	if errors.As(err, &credential) {
		return credential
	}
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		return b.answered(ctx, c, parsed(answer))
	}
	// Only the text of what the network says: some of its errors pass for a context's end, or for a permission.
	return errors.New(clean(err))
}

// parsed reads the text of an answer to a download, which the SDK leaves as it is.
func parsed(e *googleapi.Error) *googleapi.Error {
	var reply struct {
		Error *googleapi.Error `json:"error"`
	}
	if e.Message != "" || json.Unmarshal([]byte(e.Body), &reply) != nil || reply.Error == nil {
		return e
	}
	reply.Error.Code = e.Code
	return reply.Error
}

// answered tells an error that the service has answered.
func (b *Bucket) answered(ctx context.Context, c *call, e *googleapi.Error) error {
	text := words(e)
	switch e.Code {
	case http.StatusBadRequest:
		if strings.Contains(strings.ToLower(text), "user project") {
			return fmt.Errorf("%w: the bucket wants the requester to pay: add the parameter project to its URL (%s)",
				fs.ErrPermission, text)
		}
		// Keys are checked before they are sent. What is left is a request that was damaged on the way, also where the
		// service finds another checksum than ours.
	case http.StatusUnauthorized:
		return fmt.Errorf("%w: the service does not accept the credentials: they are wrong or have expired: renew them with "+
			"gcloud auth application-default login, or replace the key file that GOOGLE_APPLICATION_CREDENTIALS names (%s)",
			fs.ErrPermission, text)
	case http.StatusForbidden:
		for _, item := range e.Errors {
			switch item.Reason {
			case "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded":
				return fmt.Errorf("%w (%s)", storage.ErrThrottled, text)
			}
		}
		return fmt.Errorf("%w: the credentials do not allow this: the role Storage Object User on the bucket does (%s)",
			fs.ErrPermission, text)
	case http.StatusNotFound:
		return b.notFound(ctx, c, text)
	case http.StatusPreconditionFailed:
		if c.once {
			return fs.ErrExist
		}
	case http.StatusTooManyRequests:
		return fmt.Errorf("%w (%s)", storage.ErrThrottled, text)
	}
	// A 503 is no ErrThrottled: it does not say that nothing was stored.
	return errors.New("the service answers " + text)
}

// notFound tells the missing bucket from the missing object.
func (b *Bucket) notFound(ctx context.Context, c *call, text string) error {
	switch {
	case c.session.Load():
		return errors.New("the upload session is gone: the service answers " + text)
	case strings.Contains(text, "No such object"):
		return fs.ErrNotExist
	case strings.Contains(text, "bucket does not exist"), c.kind == storage.KindPut, c.kind == storage.KindList, b.missing(ctx):
		return fmt.Errorf("%w: there is no such bucket: make it, or correct its name (%s)", fs.ErrNotExist, text)
	}
	return fs.ErrNotExist
}

// words are an answer in one line.
func words(e *googleapi.Error) string {
	text := e.Message
	if text == "" {
		text = e.Body
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	if text == "" {
		text = http.StatusText(e.Code)
	}
	return fmt.Sprintf("%d: %s", e.Code, text)
}

// clean is the text of an error without the URLs of requests.
func clean(err error) string {
	var request *url.Error
	if errors.As(err, &request) {
		return clean(request.Err)
	}
	return err.Error()
}
