package gcsstore

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"sync"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/httptransport"
)

// scopes are what the credentials are to allow. The roles of their account bound it further. Credentials that another
// cloud's are exchanged for may know the wider scope alone, for which the SDK asks too.
var scopes = []string{
	"https://www.googleapis.com/auth/devstorage.read_write", "https://www.googleapis.com/auth/cloud-platform",
}

// authorizer adds the credentials to requests. It looks for them once there is a request that needs them, so that a
// server without any, such as an emulator, can be asked on a machine without any.
type authorizer struct {
	mu    sync.Mutex
	found *auth.Credentials
}

func (a *authorizer) authorize(r *http.Request) error {
	creds, err := a.find()
	if err != nil {
		return &credentialError{fmt.Sprintf("no usable credentials are found (%v): name a key file in "+
			"GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login, or give the machine or the "+
			"function a service account", err), false}
	}
	token, err := creds.Token(r.Context())
	if err != nil {
		if ended := r.Context().Err(); ended != nil {
			return ended
		}
		return &credentialError{fmt.Sprintf("the credentials give no access token (%v): they are wrong, have expired or "+
			"were revoked", clean(err)), passes(err)}
	}
	httptransport.SetAuthHeader(token, r)
	if r.Header.Get("X-Goog-User-Project") == "" {
		// Quota is counted on the project that the credentials name, if they do; no error matters here.
		if project, err := creds.QuotaProjectID(r.Context()); err == nil && project != "" {
			r.Header.Set("X-Goog-User-Project", project)
		}
	}
	return nil
}

// find looks for the credentials until it has found some: a machine may get its service account late.
func (a *authorizer) find() (*auth.Credentials, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.found != nil {
		return a.found, nil
	}
	found, err := credentials.DetectDefault(&credentials.DetectOptions{Scopes: scopes})
	if err != nil {
		return nil, err
	}
	a.found = found
	return found, nil
}

// passes tells whether it is the way to the token that failed, and not the credentials.
func passes(err error) bool {
	var refused *auth.Error
	if errors.As(err, &refused) {
		return refused.Temporary()
	}
	var network net.Error
	return errors.As(err, &network)
}

// credentialError is one of the credentials. Its text has no part of them.
type credentialError struct {
	text    string
	passing bool
}

func (e *credentialError) Error() string { return e.text }

// Unwrap gives the class.
func (e *credentialError) Unwrap() error {
	if e.passing {
		return nil
	}
	return fs.ErrPermission
}
