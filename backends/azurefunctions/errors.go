package azurefunctions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/gowren/gowren/backends"
)

// status is the HTTP status of an answer that was an error, or 0.
func status(err error) int {
	var answer *azcore.ResponseError
	if errors.As(err, &answer) {
		return answer.StatusCode
	}
	return 0
}

// explain puts an error of the resource manager into one of the classes of package backends, with what to do. The SDK's own
// error prints the whole answer over many lines; one line of it is kept.
func (b *Backend) explain(what string, err error) error {
	if err == nil {
		return nil
	}
	said := b.say(what, err)
	if status(err) == http.StatusUnauthorized || code(err) == "SubscriptionNotFound" || credentialFails(err) || backends.Unconnected(err) {
		return &backends.AccountError{Err: said}
	}
	return said
}

// say puts an error that is one into words.
func (b *Backend) say(what string, err error) error {
	var answer *azcore.ResponseError
	switch ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded); {
	case errors.As(err, &answer):
	case !ended && credentialFails(err):
		return &failure{
			text:   fmt.Sprintf("azurefunctions: %s: there are no credentials, or Microsoft Entra refuses them: %s", what, oneLine(err.Error())),
			remedy: "log in with az login, or set the AZURE_ variables of a service principal", class: backends.ErrRefused,
		}
	default:
		return fmt.Errorf("azurefunctions: %s: the resource manager at %s: %w", what, b.config.Endpoint, err)
	}
	code, message := said(answer)
	text := fmt.Sprintf("azurefunctions: %s: the resource manager answers %d %s: %s", what, answer.StatusCode, code, message)
	for _, r := range remedies {
		if r.fits(answer.StatusCode, code, message) {
			return &failure{text, b.config.words().Replace(r.remedy), r.class}
		}
	}
	return errors.New(text)
}

func credentialFails(err error) bool {
	var refused *azidentity.AuthenticationFailedError
	return errors.As(err, &refused) || strings.Contains(err.Error(), "DefaultAzureCredential")
}

// said returns the code and the message of an answer, which may not be the resource manager's at all.
func said(answer *azcore.ResponseError) (code, message string) {
	body, err := runtime.Payload(answer.RawResponse)
	if err != nil {
		return answer.ErrorCode, err.Error()
	}
	var fields struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal(body, &fields); err != nil || fields.Error.Message == "" {
		return answer.ErrorCode, fmt.Sprintf("the answer does not belong to the resource manager: %.120q", oneLine(string(body)))
	}
	return fields.Error.Code, oneLine(fields.Error.Message)
}

// maxText is what is kept of a text of others', in bytes.
const maxText = 500

// oneLine makes a text fit for an error: all of its lines in one, cut between two characters where it is too long.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// code is the resource manager's code of an error, or "".
func code(err error) string {
	var answer *azcore.ResponseError
	if errors.As(err, &answer) {
		return answer.ErrorCode
	}
	return ""
}

// taken reports whether an app's name is somebody else's.
func taken(err error) bool {
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) {
		return false
	}
	_, message := said(answer)
	return strings.Contains(message, "already exists")
}
