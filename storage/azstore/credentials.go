package azstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
)

// surroundings are what a bucket takes from the process that it is in.
type surroundings struct {
	getenv func(string) string
	client settings
}

func environment() surroundings { return surroundings{os.Getenv, settings{}} }

// access is how requests are authorized: by a key, a shared access signature, or tokens.
type access struct {
	key   *blob.SharedKeyCredential
	sas   string // the parameters that are added to a request
	token azcore.TokenCredential

	what    string    // the credentials in words, for errors
	expires time.Time // of the signature; zero where it does not say
}

// The variables are those of Azure's command line, in the order in which it looks at them.
const (
	connectionVariable = "AZURE_STORAGE_CONNECTION_STRING"
	keyVariable        = "AZURE_STORAGE_KEY"
	sasVariable        = "AZURE_STORAGE_SAS_TOKEN"
	accountVariable    = "AZURE_STORAGE_ACCOUNT"
)

// access finds the credentials for a place, and its endpoint where the URL does not say. A variable that is for another
// account, as it or AZURE_STORAGE_ACCOUNT says, is passed over: a program may use several.
func (s surroundings) access(p *place) (access, error) {
	if text := s.getenv(connectionVariable); text != "" {
		a, ours, err := fromConnection(p, text)
		if ours || err != nil {
			return a, err
		}
	}
	if p.endpoint == nil {
		p.endpoint = usual(p.account)
	}
	if account := s.getenv(accountVariable); account == "" || account == p.account {
		if key := s.getenv(keyVariable); key != "" {
			return withKey(p.account, key, keyVariable)
		}
		if sas := s.getenv(sasVariable); sas != "" {
			return withSAS(sas, sasVariable)
		}
	}
	token, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return access{}, fmt.Errorf("%w: azstore: %w", fs.ErrPermission, &tokenError{err})
	}
	return access{token: &told{token}, what: "the identity in use"}, nil
}

// fromConnection reads a connection string. It is not ours where it names another account.
func fromConnection(p *place, text string) (a access, ours bool, err error) {
	fields := map[string]string{}
	for field := range strings.SplitSeq(text, ";") {
		if name, value, ok := strings.Cut(strings.TrimSpace(field), "="); ok {
			fields[strings.ToLower(name)] = value
		}
	}
	if account := fields["accountname"]; account != "" && account != p.account {
		return access{}, false, nil
	}
	if p.endpoint == nil {
		if at := fields["blobendpoint"]; at != "" {
			if p.endpoint, err = parseEndpoint(at); err != nil {
				return access{}, true, fmt.Errorf("%w (in %s)", err, connectionVariable)
			}
		} else {
			p.endpoint = usual(p.account)
			if suffix := fields["endpointsuffix"]; suffix != "" {
				p.endpoint.Host = p.account + ".blob." + suffix
			}
			if fields["defaultendpointsprotocol"] == "http" {
				p.endpoint.Scheme = "http"
			}
		}
	}
	switch {
	case fields["accountkey"] != "":
		a, err = withKey(p.account, fields["accountkey"], connectionVariable)
	case fields["sharedaccesssignature"] != "":
		a, err = withSAS(fields["sharedaccesssignature"], connectionVariable)
	default:
		err = invalid("%s has neither AccountKey nor SharedAccessSignature", connectionVariable)
	}
	return a, true, err
}

func withKey(account, key, variable string) (access, error) {
	cred, err := blob.NewSharedKeyCredential(account, key)
	if err != nil { // which quotes no part of it, but need not stay so
		return access{}, invalid("the account's key in %s is not in base 64", variable)
	}
	return access{key: cred, what: "the account's key in " + variable}, nil
}

func withSAS(sas, variable string) (access, error) {
	sas = strings.TrimPrefix(strings.TrimSpace(sas), "?")
	values, err := url.ParseQuery(sas)
	if err != nil || values.Get("sig") == "" {
		return access{}, invalid("the shared access signature in %s is not of the form sv=…&sig=…", variable)
	}
	a := access{sas: sas, what: "the shared access signature in " + variable}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z", time.DateOnly} {
		if t, err := time.Parse(layout, values.Get("se")); err == nil {
			a.expires = t
		}
	}
	return a, nil
}

// told marks the errors of a credential, so that they are known from the store's.
type told struct{ azcore.TokenCredential }

func (t *told) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := t.TokenCredential.GetToken(ctx, o)
	if err != nil {
		err = &tokenError{err}
	}
	return token, err
}

// tokenError tells why there is no token, and what to do.
type tokenError struct{ cause error }

func (e *tokenError) Error() string {
	why := strings.Join(strings.Fields(e.cause.Error()), " ") // it has many lines
	if refused := new(azidentity.AuthenticationFailedError); errors.As(e.cause, &refused) {
		return "Microsoft Entra refuses the credentials, which may be wrong or expired: " + why
	}
	return fmt.Sprintf("no credentials were found: set %s, %s or %s, log in with az login, or give the function or the machine "+
		"a managed identity: %s", keyVariable, sasVariable, connectionVariable, why)
}

func (e *tokenError) Unwrap() error { return e.cause }
