package azurefunctions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/program"
)

// errBusy reports that another deployment to the app is under way.
var errBusy = errors.New("another deployment is under way")

// errNotInForce reports that the app's identity cannot write to the package's container, or not yet.
var errNotInForce = errors.New("the app's identity has no access to the storage account")

// send publishes the package until it, or another driver's, is in place.
func (b *Backend) send(ctx context.Context, p place, a *app, exe *program.Executable) (err error) {
	pkg, err := pack(exe, b.method)
	if err != nil {
		return fmt.Errorf("azurefunctions: make the package of %s: %w", exe.Path, err)
	}
	defer func() { err = errors.Join(err, pkg.Close(), os.Remove(pkg.Name())) }()
	limit := time.Duration(0)
	for deadline := time.Now().Add(b.patience.deploy); ; {
		// A package ends what runs. Another driver's, or this one where its answer was lost, does as well, and may be about
		// to be loaded. Whatever else is wrong with what is there, this one would not mend it.
		if err := b.await(ctx, p, a, limit); !errors.Is(err, errNotThere) {
			return nil
		}
		err := b.publish(ctx, a, pkg)
		if err == nil {
			return nil
		}
		again := errors.Is(err, errBusy) || errors.Is(err, errNotYet) || errors.Is(err, errNotInForce)
		if !again || time.Now().After(deadline) {
			return b.explainDeployment(p, err)
		}
		limit = 0
		if errors.Is(err, errBusy) || errors.Is(err, errUntold) {
			limit = b.patience.settle
		}
		if err := wait(ctx, b.patience.every); err != nil {
			return err
		}
	}
}

func (b *Backend) explainDeployment(p place, err error) error {
	what := "deploy the package to " + p.name
	switch {
	case errors.Is(err, errNotInForce):
		return fmt.Errorf("azurefunctions: %s: %w; give the identity the role Storage Blob Data Owner on %s: %w", what, err, p.account, backends.ErrRefused)
	case errors.Is(err, backends.ErrRefused), errors.Is(err, backends.ErrInvalid):
		return fmt.Errorf("azurefunctions: %s: %w", what, err)
	case credentialFails(err):
		return b.explain(what, err)
	}
	return fmt.Errorf("azurefunctions: %s: %w", what, err)
}

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
	return b.follow(ctx, a, id)
}

// follow waits until a deployment is in place. A look that fails tells nothing of the deployment, which goes on; only one
// that its site does not know for several looks is given up.
func (b *Backend) follow(ctx context.Context, a *app, id string) error {
	strange := 0
	for deadline := time.Now().Add(b.patience.deploy); ; {
		over, err := b.told(ctx, a, id)
		if over {
			return err
		}
		if !errors.Is(err, errUnknown) {
			strange = 0
		} else if strange++; strange == mostStrange {
			return fmt.Errorf("%w: %w", errUntold, err)
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, backends.ErrRefused), err != nil && credentialFails(err):
			return err
		case time.Now().After(deadline):
			return errors.Join(fmt.Errorf("the deployment %s is not done after %v", id, b.patience.deploy), err)
		}
		if err := wait(ctx, b.patience.every); err != nil {
			return err
		}
	}
}

// mostStrange is how many looks in a row find no deployment before there is none.
const mostStrange = 5

// told reports whether a deployment is over, and how it ended; or why that cannot be told.
func (b *Backend) told(ctx context.Context, a *app, id string) (over bool, err error) {
	answer, err := b.deployment(ctx, a, http.MethodGet, "/api/deployments/"+id, nil, 0)
	if err != nil {
		return false, err
	}
	var d struct {
		Status   int    `json:"status"`
		Text     string `json:"status_text"`
		Complete bool   `json:"complete"`
	}
	if err := json.Unmarshal(answer, &d); err != nil {
		return false, fmt.Errorf("the deployment's status is no JSON: %.120q", answer)
	}
	const success, failed, canceled, conflict = 4, 3, -1, 5
	switch {
	case d.Status == success:
		return true, nil
	case d.Status == conflict:
		return true, errBusy
	case d.Status != failed && d.Status != canceled && !d.Complete:
		return false, nil
	case denied(d.Text):
		return true, fmt.Errorf("%w: %s", errNotInForce, oneLine(d.Text))
	}
	return true, fmt.Errorf("the deployment failed: %s", oneLine(d.Text))
}

// denied reports whether a deployment failed for want of a role.
func denied(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "403") || strings.Contains(text, "authoriz") || strings.Contains(text, "permission")
}

// maxAnswer bounds what is read of the deployment site's answers.
const maxAnswer = 1 << 20

// deployment makes one call of the app's deployment site. A package is sent once: a second try is the caller's affair.
func (b *Backend) deployment(outer context.Context, a *app, method, path string, body io.Reader, size int64) ([]byte, error) {
	limit := b.patience.call
	if body != nil {
		limit = b.patience.send
	}
	ctx, cancel := context.WithTimeoutCause(outer, limit, fmt.Errorf("the deployment site of %s did not answer within %v", a.Name, limit))
	defer cancel()
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
		return nil, broken(outer, ctx, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, broken(outer, ctx, err)
	}
	text := fmt.Sprintf("the deployment site of %s answers %s: %s", a.Name, resp.Status, oneLine(string(answer)))
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted:
		return answer, nil
	case http.StatusConflict:
		return nil, errBusy
	case http.StatusNotFound:
		return nil, fmt.Errorf("%s: %w", text, errUnknown)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return nil, fmt.Errorf("%s: %w", text, errNotYet)
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return nil, fmt.Errorf("%s: %w", text, errUntold)
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, fmt.Errorf("%s: the driver's identity needs the action %s (docs/azure.md), and a token in force: %w", text, publishAction, backends.ErrRefused)
	case http.StatusRequestEntityTooLarge:
		return nil, fmt.Errorf("%s: the package is too large: build a smaller program (-ldflags=-s -w): %w", text, backends.ErrInvalid)
	}
	return nil, errors.New(text)
}

// errNotYet reports that a new app's sites do not answer yet, or not now.
var errNotYet = errors.New("it is not ready yet")

// errUnknown reports that a deployment, or the site of deployments itself, is not there.
var errUnknown = fmt.Errorf("it is not known there: %w", errNotYet)

// errUntold reports that a call may have done its work, and nobody told so.
var errUntold = fmt.Errorf("what became of it was not told: %w", errNotYet)

// broken is the error of a call that got no whole answer: the name of a new app's site may not be known yet, and a
// connection may break, or go silent, at any time. The call's own context is within the outer one.
func broken(outer, ctx context.Context, err error) error {
	var op *net.OpError
	switch {
	case outer.Err() != nil:
		return context.Cause(outer)
	case errors.As(err, &op) && op.Op == "dial": // nothing was sent
		return fmt.Errorf("%w: %w", errNotYet, err)
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return fmt.Errorf("%w: %w", errUntold, err)
}

// wait waits.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
