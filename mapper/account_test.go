package mapper_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// accountWork tells that it is at work, and waits for the end of another job: its input names the test.
var (
	accountWork = mapper.Func("account-work", func(ctx context.Context, test int) (int, error) {
		a, _ := accounts.Load(test)
		close(a.(*account).begun)
		select {
		case <-a.(*account).over:
		case <-ctx.Done():
		}
		return 0, ctx.Err()
	})
	accountLong = mapper.Func("account-long", func(_ context.Context, n int) (string, error) { return strings.Repeat("x", n), nil })

	accounts     sync.Map // of *account
	accountTests atomic.Int64
)

type account struct{ begun, over chan struct{} }

// TestAccounts: a job counts what it asked of the store itself, though others of its executor have asked meanwhile.
func TestAccounts(t *testing.T) {
	t.Parallel()
	const n, size = 10, 2 << 20
	var waited, asked mapper.Stats
	test, a := int(accountTests.Add(1)), &account{make(chan struct{}), make(chan struct{})}
	accounts.Store(test, a)
	ex := resuming(t, storage.Count(memstore.New()), mapper.Options{BatchSize: 1})
	done := make(chan error)
	go func() {
		_, err := mapper.Call(t.Context(), ex.With(mapper.Options{Stats: func(s mapper.Stats) { waited = s }}), accountWork, test)
		done <- err
	}()
	<-a.begun
	inputs := make([]int, n)
	for i := range inputs {
		inputs[i] = size
	}
	if _, err := mapper.Map(t.Context(), ex.With(mapper.Options{Stats: func(s mapper.Stats) { asked = s }}), accountLong, inputs); err != nil {
		t.Fatal(err)
	}
	close(a.over)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if waited.Store != (storage.Stats{}) {
		t.Errorf("a job that asked for nothing is said to have asked for %+v", waited.Store)
	}
	s := asked.Store
	if s.Requests[storage.KindPut] != n || s.Requests[storage.KindGet] != n || s.Received < n*size || s.Received > n*size*11/10 || s.Sent < n*size {
		t.Errorf("%d results of %d bytes through the store: %+v", n, size, s)
	}
}

// TestAccountOfJournal: what is asked for the journal of a name to resume counts, also from job to job.
func TestAccountOfJournal(t *testing.T) {
	t.Parallel()
	var s mapper.Stats
	ex := resuming(t, memstore.New(), mapper.Options{Resume: "account", Stats: func(told mapper.Stats) { s = told }})
	before := int64(0)
	for i := range 3 {
		if _, err := mapper.Map(t.Context(), ex, limitWork, []int{i}); err != nil {
			t.Fatal(err)
		}
		puts := s.Store.Requests[storage.KindPut]
		if puts < 1 || puts > 2 { // the run's name at first, and the result
			t.Errorf("job %d has put %d objects, the one before %d", i, puts, before)
		}
		before = puts
	}
}

// TestThrottledCostsNothing: what the backend asked to send later was no invocation.
func TestThrottledCostsNothing(t *testing.T) {
	t.Parallel()
	var s mapper.Stats
	p := &throttling{platform: platform{Backend: inproc.New(1), limits: backends.Limits{PricePerRequest: 1}}}
	p.left.Store(3)
	ex, err := mapper.New(t.Context(), p, memstore.New(), mapper.Options{Stats: func(told mapper.Stats) { s = told }})
	if err != nil {
		t.Fatal(err)
	}
	defer ex.Close()
	if _, err := mapper.Call(t.Context(), ex, limitWork, 1); err != nil || s.Throttled != 3 || s.Cost.Backend != 1 {
		t.Errorf("%v; %d times throttled, %+v", err, s.Throttled, s.Cost)
	}
}

// throttling is a platform that throttles the first invocations.
type throttling struct {
	platform
	left atomic.Int64
}

func (p *throttling) Invoke(ctx context.Context, r backends.Request) (io.ReadCloser, error) {
	if p.left.Add(-1) >= 0 {
		return nil, backends.ErrThrottled
	}
	return p.platform.Invoke(ctx, r)
}

// TestThrottledTogether: when the backend throttles one job, the others of the executor hold back, too.
func TestThrottledTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &throttling{platform: platform{Backend: inproc.New(8)}}
		p.left.Store(20)
		ex, err := mapper.New(t.Context(), p, memstore.New(), mapper.Options{Concurrency: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer ex.Close()
		var jobs sync.WaitGroup
		call := func(n int) {
			if _, err := mapper.Call(t.Context(), ex, limitWork, n); err != nil {
				t.Error(err)
			}
		}
		jobs.Go(func() { call(1) })
		time.Sleep(2 * time.Second) // the waits have grown
		synctest.Wait()
		before := p.left.Load()
		jobs.Go(func() { call(2) })
		synctest.Wait()
		if left := p.left.Load(); left != before {
			t.Errorf("another job asks at once: %d refusals are left, not %d", left, before)
		}
		jobs.Wait()
	})
}
