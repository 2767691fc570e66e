package gcpfunctions

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/gowren/gowren/backends"
)

// What the control plane may answer that is no failure yet.
var (
	errNotFound   = errors.New("it is not there")
	errExists     = errors.New("it is there already")
	errConcurrent = errors.New("another operation on it is under way")
	errBusy       = errors.New("the service is not available now")
)

// enable is how the interfaces are enabled that a deployment takes.
const enable = "gcloud services enable cloudfunctions.googleapis.com run.googleapis.com cloudbuild.googleapis.com artifactregistry.googleapis.com"

// explain tells an error of the control plane in this module's words.
func explain(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // without the URL
	}
	for _, class := range []error{backends.ErrRefused, backends.ErrThrottled, backends.ErrInvalid} {
		if errors.Is(err, class) {
			return err
		}
	}
	var answer *googleapi.Error
	if !errors.As(err, &answer) {
		if backends.Unconnected(err) {
			return &backends.AccountError{Err: err}
		}
		return err
	}
	text, status := words(answer)
	switch {
	case strings.Contains(text, "has not been used in project") || strings.Contains(text, "it is disabled"):
		return &backends.AccountError{Err: fmt.Errorf("%w: %w: %s (%s)", backends.ErrRefused, errDisabled, enable, text)}
	case answer.Code == http.StatusTooManyRequests:
		return fmt.Errorf("%w (%s)", backends.ErrThrottled, text)
	case answer.Code == http.StatusUnauthorized:
		return &backends.AccountError{Err: fmt.Errorf("%w: the service does not accept the credentials: they are wrong or have expired: renew them "+
			"with gcloud auth application-default login, or replace the key file (%s)", backends.ErrRefused, text)}
	case answer.Code == http.StatusForbidden:
		return forbidden(text)
	case answer.Code == http.StatusNotFound:
		return fmt.Errorf("%w (%s)", errNotFound, text)
	case status == "ALREADY_EXISTS":
		return fmt.Errorf("%w (%s)", errExists, text)
	case answer.Code == http.StatusConflict:
		return fmt.Errorf("%w (%s)", errConcurrent, text)
	case answer.Code >= 500:
		return fmt.Errorf("%w (%s)", errBusy, text)
	case strings.Contains(strings.ToLower(text), "service account"):
		return fmt.Errorf("%w: the service account of the parameter serviceaccount or buildserviceaccount is not there or not usable: make it with gcloud iam "+
			"service-accounts create, or correct its email (%s)", backends.ErrInvalid, text)
	}
	return fmt.Errorf("%w: the service answers %s", backends.ErrInvalid, text)
}

var permission = regexp.MustCompile(`[a-z]+\.[a-zA-Z]+\.[a-zA-Z]+`)

// forbidden tells what is missing: a permission, or the place.
func forbidden(text string) error {
	switch {
	case strings.Contains(strings.ToLower(text), "actas"):
		return fmt.Errorf("%w: %w: give it roles/iam.serviceAccountUser on the account (%s)", backends.ErrRefused, errActAs, text)
	case strings.Contains(text, "'locations/"):
		return fmt.Errorf("%w: %w: gcloud functions regions list (%s)", backends.ErrInvalid, errRegion, text)
	}
	missing := permission.FindString(text)
	if missing == "" {
		missing = "what it needs"
	}
	return fmt.Errorf("%w: the driver lacks the permission %s, or there is no such project: give it the role in docs/gcp.md (%s)", backends.ErrRefused, missing, text)
}

// failed is why a deployment failed.
func failed(message string) error {
	lower := strings.ToLower(message)
	switch {
	case strings.Contains(lower, "build"):
		return fmt.Errorf("%w: %w; the account that builds (buildserviceaccount) needs roles/cloudbuild.builds.builder, and the log has the "+
			"rest: %s", backends.ErrInvalid, errBuild, message)
	case message == "":
		message = "the service does not say why"
	}
	return fmt.Errorf("%w: the deployment failed: %s", backends.ErrInvalid, message)
}

// words are an answer in one line, and its status' name.
func words(e *googleapi.Error) (text, status string) {
	var reply struct {
		Error struct{ Message, Status string }
	}
	text = e.Message
	if json.Unmarshal([]byte(e.Body), &reply) == nil {
		status = reply.Error.Status
	}
	if text == "" {
		text = e.Body
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 600 {
		text = strings.ToValidUTF8(text[:600], "") + "…"
	}
	return fmt.Sprintf("%d: %s", e.Code, text), status
}

// title is that of a page.
var title = regexp.MustCompile(`(?is)<h[12]>(.*?)</h[12]>`)

// explainAnswer tells what the front end of functions answers in place of a worker.
func explainAnswer(status int, _ http.Header, body []byte) error {
	var said []string
	for _, m := range title.FindAllSubmatch(body, -1) {
		said = append(said, strings.Join(strings.Fields(string(m[1])), " "))
	}
	if len(said) == 0 {
		said = strings.Fields(string(body[:min(len(body), 600)]))
	}
	text := fmt.Sprintf("%s: the function's address answered %d %s %.300s", scheme, status, http.StatusText(status), strings.Join(said, " "))
	switch status {
	case http.StatusUnauthorized:
		return fmt.Errorf("%s: the ID token was not accepted: it has expired, or was made for another function: %w", text, backends.ErrRefused)
	case http.StatusForbidden:
		return fmt.Errorf("%s: %w: give roles/run.invoker to the driver's account, or to the one that invoker names; with "+
			"ingress=internal the call must come from the project's network: %w", text, errCaller, backends.ErrRefused)
	case http.StatusNotFound:
		return fmt.Errorf("%s: the function was deleted: run the program again, which deploys it: %w", text, backends.ErrInvalid)
	case http.StatusTooManyRequests:
		return fmt.Errorf("%s: %w", text, backends.ErrThrottled)
	case http.StatusGatewayTimeout:
		return fmt.Errorf("%s: %w", text, backends.ErrTimeout)
	case http.StatusServiceUnavailable, http.StatusInternalServerError:
		// An instance may have begun: this is no throttling.
		return errors.New(text)
	}
	return nil
}
