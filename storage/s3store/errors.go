package s3store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/gowren/gowren/storage"
)

// fail makes the error of an operation of err, which is the SDK's, the data's or one of our own.
func (b *bucket) fail(ctx context.Context, op, key string, err error) error {
	err = b.explain(op, err)
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return &storage.Error{Op: op, URL: b.url, Key: key, Err: err}
}

// explained is an error of the SDK in words of ours, which are shorter and say what to do.
type explained struct {
	kind  error // one of package storage's or fs's; nil where none fits
	words string
	cause error
}

func (e *explained) Error() string {
	if e.kind == nil {
		return e.words
	}
	return e.kind.Error() + ": " + e.words
}

func (e *explained) Unwrap() []error {
	if e.kind == nil {
		return []error{e.cause}
	}
	return []error{e.kind, e.cause}
}

// explain gives an error its kind, unless it is the data's or has one.
func (b *bucket) explain(op string, err error) error {
	if errors.As(err, new(*dataError)) || errors.As(err, new(*explained)) {
		return err
	}
	if none := new(credentialsError); errors.As(err, &none) {
		return &explained{fs.ErrPermission, "no credentials were found, or they cannot be had: set AWS_ACCESS_KEY_ID and " +
			"AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the function or the machine a role: " + none.Error(), err}
	}
	var answer *awshttp.ResponseError
	status := 0
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
	}
	if status == 0 {
		return b.explainNet(err)
	}
	code, message := "", ""
	if api := smithy.APIError(nil); errors.As(err, &api) {
		code, message = api.ErrorCode(), api.ErrorMessage()
	}
	advice, kind := b.classify(op, status, code)
	words := fmt.Sprintf("the store answers %d %s", status, code)
	if message != "" && message != code {
		words += ": " + message
	}
	if advice != "" {
		words += ": " + advice
	}
	if id := answer.ServiceRequestID(); id != "" {
		words += " (request " + id + ")"
	}
	return &explained{kind, words, err}
}

// explainNet is for what never became an answer.
func (b *bucket) explainNet(err error) error {
	var name *net.DNSError
	if errors.As(err, &name) && b.place.endpoint != "" && !b.place.pathStyle {
		return &explained{nil, err.Error() + ": if the endpoint has its buckets in the path, add path-style=true to the URL", err}
	}
	return err
}

// classify returns the kind of an answer, by its code where it has one: the answer to a HeadObject has none. It adds
// what to do about it.
func (b *bucket) classify(op string, status int, code string) (advice string, kind error) {
	if c, ok := codes[code]; ok {
		if c.advice != "" {
			advice = fmt.Sprintf(c.advice, b.name)
		}
		return advice, c.kind
	}
	switch status {
	case http.StatusNotFound:
		if code == "NotFound" || code == "" {
			return "", fs.ErrNotExist
		}
	case http.StatusPreconditionFailed:
		if op == "putnew" {
			return "", fs.ErrExist
		}
		return "", storage.ErrChanged
	case http.StatusForbidden, http.StatusUnauthorized:
		return "the credentials do not allow it", fs.ErrPermission
	case http.StatusTooManyRequests:
		return "", storage.ErrThrottled
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return otherRegion(b.name), fs.ErrInvalid
	}
	return "", nil
}

func otherRegion(name string) string {
	return fmt.Sprintf("the bucket %s is in another region: set ?region=… in the URL", name)
}

// isCode tells whether err is an answer of the store with that code.
func isCode(err error, code string) bool {
	api := smithy.APIError(nil)
	return errors.As(err, &api) && api.ErrorCode() == code
}

// isStatus tells whether err is an answer of the store with that status.
func isStatus(err error, status int) bool {
	answer := new(awshttp.ResponseError)
	return errors.As(err, &answer) && answer.HTTPStatusCode() == status
}
