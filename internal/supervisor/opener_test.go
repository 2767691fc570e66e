package supervisor

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// TestOpener: a bucket is opened once, for all; one that does not come to open keeps nobody up who has given up; and one
// that cannot be opened is tried again.
func TestOpener(t *testing.T) {
	t.Parallel()
	scheme := "slow" + strings.ToLower(rand.Text())
	var opened, closed atomic.Int64
	begun, free := make(chan struct{}, 10), make(chan error)
	storage.Register(scheme, func(context.Context, *url.URL) (storage.Bucket, error) {
		begun <- struct{}{}
		if err := <-free; err != nil {
			return nil, err
		}
		opened.Add(1)
		return closing{memstore.New(), &closed}, nil
	})
	o := &opener{url: scheme + "://b"}
	ctx, cancel := context.WithCancelCause(t.Context())
	tired, down := errors.New("tired"), errors.New("down")
	got := make(chan error, 2)
	go func() {
		_, err := o.get(ctx)
		got <- err
	}()
	<-begun
	go func() {
		_, err := o.get(t.Context())
		got <- err
	}()
	cancel(tired)
	if err := <-got; !errors.Is(err, tired) {
		t.Error(err)
	}
	free <- down
	go func() { free <- nil }()
	if err := <-got; err != nil && !errors.Is(err, down) {
		t.Error(err)
	}
	for range 3 {
		if b, err := o.get(t.Context()); b == nil || err != nil {
			t.Fatal(err)
		}
	}
	if err := o.close(); err != nil || opened.Load() != 1 || closed.Load() != 1 {
		t.Errorf("%v; opened %d times, closed %d", err, opened.Load(), closed.Load())
	}
	for len(begun) > 0 {
		<-begun
	}
	late := &opener{url: scheme + "://b"}
	go func() {
		_, err := late.get(t.Context())
		got <- err
	}()
	<-begun
	if err := late.close(); err != nil {
		t.Error(err)
	}
	free <- nil
	if err := <-got; !errors.Is(err, backends.ErrThrottled) || closed.Load() != 2 {
		t.Errorf("opened after the end: %v, closed %d", err, closed.Load())
	}
}

type closing struct {
	*memstore.Bucket
	closed *atomic.Int64
}

func (b closing) Close() error {
	b.closed.Add(1)
	memstore.Delete(b.Name())
	return nil
}
