package gcpfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"sync"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/credentials/idtoken"
	"cloud.google.com/go/auth/credentials/impersonate"

	"github.com/gowren/gowren/backends"
)

// Tokens is what requests are authorized by. Its tokens never become part of an error, a log or a URL.
type Tokens interface {
	// Access returns an OAuth 2 access token for the service's own interface.
	Access(ctx context.Context) (string, error)
	// Identity returns an ID token for an audience, the URL of a function.
	Identity(ctx context.Context, audience string) (string, error)
}

// google are the application default credentials. They are looked for when they are first needed.
type google struct {
	invoker string // the account whose identity is taken; empty: that of the credentials
	worker  string // the one whose identity is taken where the credentials have none of their own

	mu         sync.Mutex
	access     *auth.Credentials
	identities map[string]*auth.Credentials // by audience
}

const cloudScope = "https://www.googleapis.com/auth/cloud-platform"

func (g *google) Access(ctx context.Context) (string, error) {
	g.mu.Lock()
	if g.access == nil {
		found, err := credentials.DetectDefault(&credentials.DetectOptions{Scopes: []string{cloudScope}})
		if err != nil {
			g.mu.Unlock()
			return "", fmt.Errorf("%w: no usable credentials are found (%w): name a key file in GOOGLE_APPLICATION_CREDENTIALS, or run "+
				"gcloud auth application-default login, or give the machine a service account", backends.ErrRefused, err)
		}
		g.access = found
	}
	creds := g.access
	g.mu.Unlock()
	return take(ctx, creds)
}

// who says whose the access tokens are, as far as the credentials themselves tell. It is called after Access.
func (g *google) who() string {
	g.mu.Lock()
	creds := g.access
	g.mu.Unlock()
	if creds == nil || creds.JSON() == nil {
		return "the service account of this machine"
	}
	var file struct {
		Type  string `json:"type"`
		Email string `json:"client_email"`
	}
	if json.Unmarshal(creds.JSON(), &file) != nil {
		return ""
	}
	switch {
	case file.Email != "":
		return file.Email
	case file.Type == "authorized_user":
		return "a person's, of gcloud auth application-default login"
	}
	return "of the type " + file.Type
}

func (g *google) Identity(ctx context.Context, audience string) (string, error) {
	g.mu.Lock()
	creds := g.identities[audience]
	if creds == nil {
		var err error
		if creds, err = g.identify(audience); err != nil {
			g.mu.Unlock()
			return "", err
		}
		if g.identities == nil {
			g.identities = map[string]*auth.Credentials{}
		}
		g.identities[audience] = creds
	}
	g.mu.Unlock()
	return take(ctx, creds)
}

// identify finds the credentials for an audience. Those of a person give no ID token that a function accepts: then a
// service account is impersonated, which the person must be allowed to.
func (g *google) identify(audience string) (*auth.Credentials, error) {
	account := g.invoker
	if account == "" {
		creds, err := idtoken.NewCredentials(&idtoken.Options{Audience: audience})
		if err == nil {
			return creds, nil
		}
		if account = g.worker; account == "" {
			return nil, fmt.Errorf("%w: the credentials give no identity to call functions with (%w): name a service account by the parameter "+
				"invoker, and let yourself impersonate it (roles/iam.serviceAccountOpenIdTokenCreator on it)", backends.ErrRefused, err)
		}
	}
	creds, err := impersonate.NewIDTokenCredentials(&impersonate.IDTokenOptions{Audience: audience, TargetPrincipal: account, IncludeEmail: true})
	if err != nil {
		return nil, fmt.Errorf("%w: the identity of %s cannot be taken: %w", backends.ErrRefused, account, err)
	}
	return creds, nil
}

// take gets a token, from the credentials' cache while it is valid.
func take(ctx context.Context, creds *auth.Credentials) (string, error) {
	token, err := creds.Token(ctx)
	if err == nil {
		return token.Value, nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if passing(err) {
		return "", fmt.Errorf("%w: no token could be had: %w", backends.ErrThrottled, err) // nothing was sent
	}
	return "", fmt.Errorf("%w: the credentials give no token: they are wrong, have expired or were revoked, or may not impersonate the account "+
		"(roles/iam.serviceAccountOpenIdTokenCreator): %w", backends.ErrRefused, err)
}

// answered is the status in those errors of the library that have it only in their text: of the metadata server, and of the
// service that impersonates.
var answered = regexp.MustCompile(`(?:status code|Received) ([0-9]{3})`)

// passing reports whether whoever gives tokens could not be reached, or was busy.
func passing(err error) bool {
	status := 0
	var answer *auth.Error
	if errors.As(err, &answer) && answer.Response != nil {
		status = answer.Response.StatusCode
	} else if m := answered.FindStringSubmatch(err.Error()); m != nil {
		status, _ = strconv.Atoi(m[1]) // it is three digits
	}
	if status != 0 {
		return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
