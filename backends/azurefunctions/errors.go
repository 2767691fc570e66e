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
	var answer *azcore.ResponseError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("azurefunctions: %s: %w", what, err)
	case errors.As(err, &answer):
	case credentialFails(err):
		return fmt.Errorf("azurefunctions: %s: there are no credentials, or Microsoft Entra refuses them: log in with az login, or set the AZURE_ variables of a service principal: %w: %s",
			what, backends.ErrRefused, oneLine(err.Error()))
	default:
		return fmt.Errorf("azurefunctions: %s: the resource manager at %s: %w", what, b.config.Endpoint, err)
	}
	code, message := said(answer)
	text := fmt.Sprintf("azurefunctions: %s: the resource manager answers %d %s: %s", what, answer.StatusCode, code, message)
	for _, r := range remedies {
		if r.fits(answer.StatusCode, code, message) {
			return fmt.Errorf("%s: %s: %w", text, b.config.words().Replace(r.remedy), r.class)
		}
	}
	return errors.New(text)
}

func credentialFails(err error) bool {
	var refused *azidentity.AuthenticationFailedError
	return errors.As(err, &refused) || strings.Contains(err.Error(), "DefaultAzureCredential")
}

// words are what remedies may name.
func (c Config) words() *strings.Replacer {
	return strings.NewReplacer("{group}", c.ResourceGroup, "{location}", c.Location, "{subscription}", c.Subscription)
}

// remedy is what to do about an answer.
type remedy struct {
	status int    // 0 is any
	code   string // empty is any
	part   string // of the message, in lower case; empty is any
	class  error
	remedy string // what to do, with the configuration's words
}

// remedies are what is known of the resource manager's errors. The first that fits is told.
var remedies = []remedy{
	{0, "", "quota", backends.ErrRefused, "ask for more quota for Flex Consumption in {location}, or take another location"},
	{0, "ExpiredAuthenticationToken", "", backends.ErrRefused, "log in again, with az login"},
	{http.StatusUnauthorized, "", "", backends.ErrRefused, "log in again, with az login, to the tenant of the subscription {subscription}"},
	{0, "AuthorizationFailed", "", backends.ErrRefused, "give the driver's identity the role in docs/azure.md, for the resource group {group}"},
	{0, "LinkedAuthorizationFailed", "", backends.ErrRefused, "give the driver's identity the role in docs/azure.md, for the resource group {group}"},
	{http.StatusForbidden, "", "", backends.ErrRefused, "a policy, a lock or a missing role of the resource group {group} forbids it: docs/azure.md has the role"},
	{0, "ResourceGroupNotFound", "", backends.ErrInvalid, "make it: az group create --name {group} --location {location}"},
	{0, "SubscriptionNotFound", "", backends.ErrInvalid, "az account list shows the subscriptions that the login sees"},
	{0, "MissingSubscriptionRegistration", "", backends.ErrInvalid, "register the provider that is named: az provider register --subscription {subscription} --namespace NAME"},
	{0, "LocationNotAvailableForResourceType", "", backends.ErrInvalid, "Flex Consumption is not in {location}: az functionapp list-flexconsumption-locations shows where it is"},
	{http.StatusConflict, "", "already exists", backends.ErrInvalid, "the name is taken by an app of somebody else: change instances= by one, which changes the name"},
	{http.StatusTooManyRequests, "", "", backends.ErrThrottled, "the subscription makes too many calls"},
	{http.StatusBadRequest, "", "", backends.ErrInvalid, "check the URL's parameters and the location {location}"},
	{0, "", "does not belong to the resource manager", backends.ErrInvalid, "a proxy on the way may want a login"},
}

func (r remedy) fits(status int, code, message string) bool {
	return (r.status == 0 || r.status == status) && (r.code == "" || r.code == code) && strings.Contains(strings.ToLower(message), r.part)
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

// longest is what is kept of a text of others', in bytes.
const longest = 500

// oneLine makes a text fit for an error: all of its lines in one, cut between two characters where it is too long.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) <= longest {
		return s
	}
	cut := longest
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
