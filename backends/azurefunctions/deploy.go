package azurefunctions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/gowren/gowren/backends"
)

// errBusy reports that another deployment to the app is under way.
var errBusy = errors.New("another deployment is under way")

// errNotInForce reports that the app's identity cannot write to the package's container, or not yet.
var errNotInForce = errors.New("the app's identity has no access to the storage account")

// publish sends a package to the app, by One Deploy as it is for Flex Consumption, and waits until it is in place.
func (b *Backend) publish(ctx context.Context, a *app, pkg *os.File) error {
	info, err := pkg.Stat()
	if err != nil {
		return err
	}
	body := io.NewSectionReader(pkg, 0, info.Size())
	answer, err := b.deployment(ctx, a, http.MethodPost, "/api/publish?RemoteBuild=false&Deployer=gowren", body, info.Size())
	if err != nil {
		return err
	}
	var id string
	if err := json.Unmarshal(answer, &id); err != nil {
		id = strings.TrimSpace(string(answer))
	}
	if id == "" {
		return nil // it is in place already
	}
	for {
		answer, err := b.deployment(ctx, a, http.MethodGet, "/api/deployments/"+id, nil, 0)
		if err != nil {
			return err
		}
		var d struct {
			Status   int    `json:"status"`
			Text     string `json:"status_text"`
			Complete bool   `json:"complete"`
		}
		if err := json.Unmarshal(answer, &d); err != nil {
			return fmt.Errorf("the deployment's status is no JSON: %.120q", answer)
		}
		const success, failed, canceled, conflict = 4, 3, -1, 5
		switch {
		case d.Status == success:
			return nil
		case d.Status == conflict:
			return errBusy
		case (d.Status == failed || d.Status == canceled || d.Complete) && denied(d.Text):
			return fmt.Errorf("%w: %s", errNotInForce, oneLine(d.Text))
		case d.Status == failed || d.Status == canceled || d.Complete:
			return fmt.Errorf("the deployment failed: %s", oneLine(d.Text))
		}
		if err := wait(ctx, b.patience.every); err != nil {
			return err
		}
	}
}

// denied reports whether a deployment failed for want of a role.
func denied(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "403") || strings.Contains(text, "authoriz") || strings.Contains(text, "permission")
}

// maxAnswer bounds what is read of the deployment site's answers.
const maxAnswer = 1 << 20

// deployment makes one call of the app's deployment site. A package is sent once: a second try is the caller's affair.
func (b *Backend) deployment(ctx context.Context, a *app, method, path string, body io.Reader, size int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, b.address(a.deploymentHost())+path, body)
	if err != nil {
		return nil, invalid("the address of the app's deployment site: %v", err)
	}
	token, err := b.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{b.manager.audience + "/.default"}})
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	if body != nil {
		req.ContentLength = size
		req.Header.Set("Content-Type", "application/zip")
	}
	resp, err := b.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("the deployment site of %s answers %s: %s", a.Name, resp.Status, oneLine(string(answer)))
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted:
		return answer, nil
	case http.StatusConflict:
		return nil, errBusy
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusNotFound:
		return nil, fmt.Errorf("%s: %w", text, errNotYet)
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, fmt.Errorf("%s: the driver's identity needs the action %s (docs/azure.md), and a token in force: %w", text, publishAction, backends.ErrRefused)
	case http.StatusRequestEntityTooLarge:
		return nil, fmt.Errorf("%s: the package is too large: build a smaller program (-ldflags=-s -w): %w", text, backends.ErrInvalid)
	}
	return nil, errors.New(text)
}

// errNotYet reports that a new app's sites do not answer yet.
var errNotYet = errors.New("it is not ready yet")

// wait waits.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
