package azstore

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/gowren/gowren/storage"
)

// fail makes the error of an operation of err, which is the SDK's, the data's or one of our own.
func (b *bucket) fail(ctx context.Context, op, key string, err error) *storage.Error {
	err = b.explain(op, err)
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return &storage.Error{Op: op, URL: b.url, Key: key, Err: err}
}

// answerError is an answer of the service in our words. The SDK's own error is not kept: it prints the whole answer,
// which may quote parts of a signature.
type answerError struct {
	kind  error // one of package storage's or fs's; nil where none fits
	words string
}

func (e *answerError) Error() string {
	if e.kind == nil {
		return e.words
	}
	return e.kind.Error() + ": " + e.words
}

func (e *answerError) Unwrap() error { return e.kind }

// explain gives an error its kind.
func (b *bucket) explain(op string, err error) error {
	if data := new(sourceError); errors.As(err, &data) {
		return data.error
	}
	if none := new(tokenError); errors.As(err, &none) {
		return &answerError{fs.ErrPermission, none.Error()}
	}
	answer := new(azcore.ResponseError)
	if !errors.As(err, &answer) {
		return b.explainNet(err)
	}
	advice, kind := b.classify(op, answer.StatusCode, answer.ErrorCode)
	words := fmt.Sprintf("the store answers %d %s", answer.StatusCode, answer.ErrorCode)
	message, detail := said(answer.RawResponse)
	if message != "" {
		words += ": " + message
	}
	if answer.ErrorCode == "InvalidHeaderValue" && strings.Contains(message+detail, "API version") {
		advice = "the emulator wants to be started with --skipApiVersionCheck"
	}
	if since := b.access.expired(); since != "" && errors.Is(kind, fs.ErrPermission) {
		advice = b.access.what + " has expired at " + since + ": make a new one"
	}
	if advice != "" {
		words += ": " + advice
	}
	if answer.RawResponse != nil {
		if id := answer.RawResponse.Header.Get("x-ms-request-id"); id != "" {
			words += " (request " + id + ")"
		}
	}
	return &answerError{kind, words}
}

// said returns the first line of an answer's message, the rest being numbers and times, and its details, which are not
// for showing: of a signature that was refused they quote what was signed.
func said(r *http.Response) (message, detail string) {
	if r == nil {
		return "", ""
	}
	data, err := runtime.Payload(r) // the SDK has read it
	if err != nil {
		return "", ""
	}
	var body struct {
		Message string
		Rest    string `xml:",innerxml"`
	}
	if xml.Unmarshal([]byte(strings.TrimPrefix(string(data), "\ufeff")), &body) != nil {
		return "", ""
	}
	message, _, _ = strings.Cut(strings.TrimSpace(body.Message), "\n")
	return strings.TrimSuffix(strings.TrimSpace(message), "."), body.Rest
}

// explainNet is for what never became an answer.
func (b *bucket) explainNet(err error) error {
	if name := new(net.DNSError); errors.As(err, &name) && name.IsNotFound {
		return fmt.Errorf("%w: is %s the storage account's name?", err, b.place.account)
	}
	if b.access.token != nil && b.place.endpoint.Scheme == "http" && strings.Contains(err.Error(), "not permitted for non-TLS") {
		return &answerError{fs.ErrPermission, fmt.Sprintf("tokens are not sent over http: set %s, or use an https endpoint", keyVariable)}
	}
	return err
}
