package azurefunctions

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/gowren/gowren/internal/lent"
)

const publicEndpoint = "https://management.azure.com"

// The versions of the resource manager's interfaces that are spoken.
const (
	groupsVersion   = "2021-04-01"
	webVersion      = "2024-04-01"
	storageVersion  = "2023-05-01"
	rolesVersion    = "2022-04-01"
	identityVersion = "2023-01-31"
)

// manager is Azure's resource manager. It is spoken to by the pipeline of the SDK's core, which has tokens, retries and
// long-running operations: the few calls that are needed are resources of JSON, for which the generated clients would add
// modules and no more.
type manager struct {
	endpoint string
	audience string // of tokens
	pipeline runtime.Pipeline
	every    time.Duration // between looks at an operation, where Azure names no time
	changes  policy.RetryOptions
}

// newManager makes one. Each try of a call is bounded: a connection that has died on the way is waited for without end.
func newManager(c Config, cred azcore.TokenCredential, p patience, t *http.Transport) (*manager, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, invalid("endpoint: %v", err)
	}
	audience := c.Endpoint
	if u.Scheme == "http" {
		audience = publicEndpoint
	}
	o := &arm.ClientOptions{DisableRPRegistration: true} // an error says how; it takes a permission of its own
	o.Cloud = cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
		cloud.ResourceManager: {Endpoint: c.Endpoint, Audience: audience},
	}}
	o.InsecureAllowCredentialWithHTTP = u.Scheme == "http" // complete allows that on this machine alone
	o.Telemetry = policy.TelemetryOptions{ApplicationID: "gowren"}
	o.Retry = policy.RetryOptions{RetryDelay: p.delay, TryTimeout: p.call}
	o.Transport = &http.Client{Transport: lender{t}}
	client, err := arm.NewClient("gowren", "v1.0.0", cred, o)
	if err != nil {
		return nil, invalid("the resource manager's client: %v", err)
	}
	changes := o.Retry
	changes.TryTimeout = 4 * p.call // one that is sent again finds the first under way: a conflict
	return &manager{c.Endpoint, audience, client.Pipeline(), p.every, changes}, nil
}

// lender is a transport for the SDK, which sends a body again while its first request may still be written.
type lender struct{ *http.Transport }

func (l lender) RoundTrip(r *http.Request) (*http.Response, error) {
	return lent.RoundTrip(l.Transport, r)
}

// get reads a resource into out.
func (m *manager) get(ctx context.Context, id, version string, out any) error {
	resp, err := m.send(ctx, http.MethodGet, id, version, nil) //nolint:bodyclose // the pipeline has read it to its end and closed it
	if err != nil {
		return err
	}
	return runtime.UnmarshalAsJSON(resp, out)
}

// post calls an action of a resource.
func (m *manager) post(ctx context.Context, id, version string, out any) error {
	resp, err := m.send(ctx, http.MethodPost, id, version, nil) //nolint:bodyclose // the pipeline has read it to its end and closed it
	if err != nil {
		return err
	}
	return runtime.UnmarshalAsJSON(resp, out)
}

// set makes a resource of those that are made at once: containers and role assignments.
func (m *manager) set(ctx context.Context, id, version string, in any) error {
	_, err := m.send(ctx, http.MethodPut, id, version, in) //nolint:bodyclose // the pipeline has read it to its end and closed it
	return err
}

// put makes a resource, or changes it, and waits until that is done.
func (m *manager) put(ctx context.Context, id, version string, in any) error {
	return m.change(ctx, http.MethodPut, id, version, in)
}

// remove deletes a resource, and waits until that is done. One that is not there is no error.
func (m *manager) remove(ctx context.Context, id, version string) error {
	err := m.change(ctx, http.MethodDelete, id, version, nil)
	if status(err) == http.StatusNotFound {
		return nil
	}
	return err
}

func (m *manager) change(ctx context.Context, method, id, version string, in any) error {
	resp, err := m.send(ctx, method, id, version, in) //nolint:bodyclose // the pipeline has read it to its end and closed it
	if err != nil {
		return err
	}
	poller, err := runtime.NewPoller[json.RawMessage](resp, m.pipeline, nil)
	if err != nil {
		return err
	}
	_, err = poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: m.every})
	return err
}

// send makes a call.
func (m *manager) send(ctx context.Context, method, id, version string, in any) (*http.Response, error) {
	if method == http.MethodPut || method == http.MethodDelete {
		ctx = policy.WithRetryOptions(ctx, m.changes)
	}
	req, err := runtime.NewRequest(ctx, method, runtime.JoinPaths(m.endpoint, id))
	if err != nil {
		return nil, err
	}
	q := req.Raw().URL.Query()
	q.Set("api-version", version)
	req.Raw().URL.RawQuery = q.Encode()
	if in != nil {
		if err := runtime.MarshalAsJSON(req, in); err != nil {
			return nil, err
		}
	}
	resp, err := m.pipeline.Do(req)
	if err != nil {
		return nil, err
	}
	if !runtime.HasStatusCode(resp, http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent) {
		return nil, runtime.NewResponseError(resp)
	}
	return resp, nil
}
