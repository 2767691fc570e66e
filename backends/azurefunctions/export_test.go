package azurefunctions

import (
	"archive/zip"
	"time"
)

// OneLine makes a text of others' fit for an error.
var OneLine = oneLine

// Instances is what a server of the tests has: fewer than Azure lets an app have at most.
const Instances = 2

// NewQuick is New for a server that needs no waiting.
func NewQuick(c Config) (*Backend, error) {
	b, err := newBackend(c, patience{
		every: 20 * time.Millisecond, delay: time.Millisecond, call: 3 * time.Second, send: 20 * time.Second, deploy: 20 * time.Second, settle: 5 * time.Second, start: 20 * time.Second, ping: 20 * time.Second, invoke: longest,
	})
	if err == nil {
		b.concurrency = Instances
		b.method = zip.Store // compressing takes seconds with the race detector
	}
	return b, err
}

// Hurry has a backend give up at once on an app that does not come to answer.
func Hurry(b *Backend) { b.patience.settle, b.patience.start, b.patience.deploy = 0, 0, time.Second }

// Restless has a backend soon give a ping up.
func Restless(b *Backend) { b.patience.ping = time.Second }

// Bound has a backend end invocations after that.
func Bound(b *Backend, d time.Duration) { b.patience.invoke = d }

// NameOf returns the name of the app for a bucket.
func NameOf(c Config, bucket string) (string, error) {
	c, err := c.complete()
	if err != nil {
		return "", err
	}
	p, err := c.place(bucket)
	return p.name, err
}
