package azurefunctions

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/internal/supervisor"
	"github.com/gowren/gowren/internal/wire"
)

// patience is how long things may take.
type patience struct {
	every  time.Duration // between looks
	delay  time.Duration // before the first retry of a call of the resource manager; 0 is the SDK's
	call   time.Duration // for an answer of the resource manager, or of a deployment site that is asked
	send   time.Duration // of a package, and for the answer
	deploy time.Duration // until roles are in force and a package is in place
	settle time.Duration // until an app that is there, or that another driver deploys to, answers
	start  time.Duration // until the function answers after that
	ping   time.Duration // of one ping: a cold start
	invoke time.Duration // of one invocation, from its sending
}

// Azure's documents give ten minutes at most until a role is in force.
var usual = patience{every: 3 * time.Second, call: time.Minute, send: 12 * time.Minute, deploy: 12 * time.Minute, settle: time.Minute, start: 5 * time.Minute, ping: 90 * time.Second, invoke: longest}

// platform is what the workers' programs must be for.
var platform = program.Platform{OS: "linux", Arch: "amd64"}

// Prepare implements [backends.Backend]: it makes the app unless it is there and answers, and uploads the program.
func (b *Backend) Prepare(ctx context.Context, d backends.Deployment) error {
	if d.Bucket == nil {
		return invalid("workers need a bucket")
	}
	bucket := d.Bucket.URL()
	p, err := b.config.place(bucket)
	if err != nil {
		return err
	}
	exe, err := program.Find(ctx, d.Program, d.Log, platform)
	if err != nil {
		return err
	}
	defer exe.Close()
	err = b.answering(ctx, p)
	if errors.Is(err, errNotThere) {
		err = b.deploy(ctx, p, bucket, exe)
	}
	if err != nil {
		return err
	}
	b.app, b.bucket = p.name, d.Bucket
	b.call = supervisor.Call{Program: exe.Hash, Bucket: bucket}
	b.gate = supervisor.NewGate(scheme, b.concurrency)
	// Also where it is the app's own: another driver may repair the app with its own program meanwhile.
	return exe.Upload(ctx, d.Bucket)
}

// errNotThere reports that there is no app, or none that answers.
var errNotThere = errors.New("no such app answers")

// answering looks whether the app is there and answers. Its error is errNotThere where making it may help. An app that is
// there may be in another driver's hands.
func (b *Backend) answering(ctx context.Context, p place) error {
	a, err := b.find(ctx, p)
	if err != nil {
		return err
	}
	return b.await(ctx, p, a, b.patience.settle)
}

// await greets an app until it answers. Its error is errNotThere where it does not in time. A worker that does not reach the
// bucket may do so when its role is in force.
func (b *Backend) await(ctx context.Context, p place, a *app, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; {
		err := b.greet(ctx, p, a)
		again := errors.Is(err, errNotThere) || errors.Is(err, errMute) || errors.Is(err, httpworker.ErrBucket)
		if !again || time.Now().After(deadline) {
			return err
		}
		if err := wait(ctx, b.patience.every); err != nil {
			return err
		}
	}
}

// errMute reports that the app takes requests and answers none. Others' work may be what it does meanwhile.
var errMute = errors.New("it answers no request")

func (b *Backend) mute(p place) error {
	return &failure{
		text: fmt.Sprintf("azurefunctions: the app %s has the function, and did not answer within %v", p.name, b.patience.ping),
		remedy: fmt.Sprintf("others' tasks may have all its instances: try again later; where there are none, az webapp log tail --name %[1]s --resource-group %[2]s "+
			"shows what it does, and az functionapp restart --name %[1]s --resource-group %[2]s starts it anew", p.name, b.config.ResourceGroup),
		class: errMute,
	}
}

// find reads what the resource manager knows of the app.
func (b *Backend) find(ctx context.Context, p place) (*app, error) {
	a := &app{}
	err := b.manager.get(ctx, p.site, webVersion, a)
	if code := code(err); status(err) == http.StatusNotFound && code != "ResourceGroupNotFound" && code != "SubscriptionNotFound" {
		return nil, errNotThere
	}
	if err != nil {
		return nil, b.explain("read the app "+p.name, err)
	}
	if _, ours := a.Tags[tag]; !ours {
		return nil, invalid("the app %s lacks the tag %q: it was made by somebody else, or its tags were taken away; delete it, or give it back its tag", p.name, tag)
	}
	return a, nil
}

// greet gets the function's key and pings the app.
func (b *Backend) greet(ctx context.Context, p place, a *app) error {
	if a.Properties.State == "Stopped" {
		return invalid("the app %s was stopped: az functionapp start --name %s --resource-group %s", p.name, p.name, b.config.ResourceGroup)
	}
	var keys map[string]string
	switch err := b.manager.post(ctx, p.site+"/functions/"+functionName+"/listKeys", webVersion, &keys); {
	case status(err) == http.StatusNotFound, status(err) == http.StatusBadRequest, status(err) >= 500:
		return errNotThere // the host has not loaded the function
	case err != nil:
		return b.explain("get the key of the function", err)
	}
	key, ok := keys["default"]
	if !ok {
		return errNotThere
	}
	client, err := b.connect(a, key)
	if err != nil {
		return err
	}
	ping, cancel := context.WithTimeout(ctx, b.patience.ping)
	defer cancel()
	_, err = client.Look(ping)
	switch {
	case ctx.Err() != nil:
		client.Close()
		return context.Cause(ctx)
	case err == nil:
	case errors.Is(err, httpworker.ErrBucket):
		client.Close()
		return fmt.Errorf("azurefunctions: the app %s: %w (docs/azure.md has the role that its identity needs)", p.name, err)
	case errors.Is(err, backends.ErrThrottled) && !errors.Is(err, errIdle), errors.Is(err, errBusyFront):
		// It is there, its host has the function, and is busy with others' work, which a deployment would end.
	case errors.Is(err, backends.ErrRefused), errors.Is(err, httpworker.ErrUnreachable):
		client.Close()
		return err // which a deployment would not mend
	case ping.Err() != nil:
		client.Close()
		return b.mute(p) // nor that, and it would end others' work
	default:
		client.Close()
		return fmt.Errorf("%w: %w", errNotThere, err)
	}
	b.setClient(client)
	return nil
}

// deploy makes what is missing, sends the package, and waits until the function answers. Two drivers may do so at once.
func (b *Backend) deploy(ctx context.Context, p place, bucket string, exe *program.Executable) error {
	a, err := b.provide(ctx, p, bucket)
	if err != nil {
		return err
	}
	if err := b.send(ctx, p, a, exe); err != nil {
		return err
	}
	err = b.await(ctx, p, a, b.patience.start)
	if errors.Is(err, errNotThere) {
		return fmt.Errorf("azurefunctions: the app %s was deployed, and its function does not answer: az webapp log tail --name %s --resource-group %s shows why: %w",
			p.name, p.name, b.config.ResourceGroup, err)
	}
	return err
}

// provide makes plan, container, app and roles, and returns the app.
func (b *Backend) provide(ctx context.Context, p place, bucket string) (*app, error) {
	var account struct {
		Properties struct {
			PrimaryEndpoints struct {
				Blob string `json:"blob"`
			} `json:"primaryEndpoints"`
		} `json:"properties"`
	}
	if err := b.manager.get(ctx, p.account, storageVersion, &account); err != nil {
		return nil, b.explain("read the storage account for the package, which must be in the resource group (storage= names another)", err)
	}
	var client string
	if p.identity != "" {
		var identity struct {
			Properties struct {
				ClientID string `json:"clientId"`
			} `json:"properties"`
		}
		if err := b.manager.get(ctx, p.identity, identityVersion, &identity); err != nil {
			return nil, b.explain("read the user-assigned identity "+b.config.Identity, err)
		}
		client = identity.Properties.ClientID
	}
	for _, part := range p.parts() {
		if err := b.ours(ctx, p, part); err != nil {
			return nil, err
		}
	}
	private := map[string]any{"properties": map[string]any{"publicAccess": "None", "metadata": map[string]string{tag: strconv.Itoa(wire.Version)}}}
	if err := b.manager.set(ctx, p.container, storageVersion, private); err != nil {
		return nil, b.explain("make the container for the package", err)
	}
	steps := []struct {
		what, id string
		body     any
	}{
		{"make the plan " + p.name, p.plan, b.config.planBody(bucket)},
		{"make the app " + p.name, p.site, b.config.siteBody(p, bucket, account.Properties.PrimaryEndpoints.Blob+p.name, client)},
	}
	for _, s := range steps {
		if err := b.provideOne(ctx, s.id, s.body); err != nil {
			return nil, b.explain(s.what, err)
		}
	}
	a, err := b.find(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("azurefunctions: the app %s was made and is not there: %w", p.name, err)
	}
	if p.identity == "" {
		err = b.grant(ctx, p, bucket, a.Identity.PrincipalID)
	}
	return a, err
}

// provideOne makes one resource. While another driver makes the same one, the resource manager has a conflict.
func (b *Backend) provideOne(ctx context.Context, id string, body any) error {
	for attempt := 1; ; attempt++ {
		err := b.manager.put(ctx, id, webVersion, body)
		if status(err) != http.StatusConflict || attempt == 5 || taken(err) {
			return err
		}
		if err := wait(ctx, b.patience.every); err != nil {
			return err
		}
	}
}
