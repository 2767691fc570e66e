package azurefunctions_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/gowren/gowren/backends/azurefunctions"
	"github.com/gowren/gowren/backends/backendtest"
	"github.com/gowren/gowren/internal/servers/azfunc"
	"github.com/gowren/gowren/storage"
)

func TestMain(m *testing.M) {
	backendtest.Itself()
	backendtest.Main(m)
}

// program is what workers run: this one.
var program, _ = os.Executable()

// subscription is the servers'.
const subscription = "00000000-0000-0000-0000-000000000001"

// token is a credential that has one.
type token string

func (t token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(t), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// config is for the server's place.
func config(s *azfunc.Server) azurefunctions.Config {
	return azurefunctions.Config{
		Subscription: subscription, ResourceGroup: "gowren", Location: "westeurope", Storage: "gowrenstore", Endpoint: s.URL,
		Credential: token(s.Token),
	}
}

// open returns a backend that ends with the test.
func open(t *testing.T, c azurefunctions.Config) *azurefunctions.Backend {
	t.Helper()
	b, err := azurefunctions.NewQuick(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// folder is a bucket in a folder of the test.
func folder(t *testing.T) storage.Bucket {
	t.Helper()
	b := backendtest.Folder(t)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}
