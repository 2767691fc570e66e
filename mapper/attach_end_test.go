package mapper_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/journal"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// troubled is a bucket that does not give replies while it is on: reads hang, or fail.
type troubled struct {
	storage.Bucket
	on    atomic.Bool
	err   error // of a read; nil hangs
	reads atomic.Int64
}

func (b *troubled) Get(ctx context.Context, key string, from, n int64) (io.ReadCloser, error) {
	if !b.on.Load() || !strings.Contains(key, "/replies/") {
		return b.Bucket.Get(ctx, key, from, n)
	}
	b.reads.Add(1)
	if b.err != nil {
		return nil, b.err
	}
	<-ctx.Done()
	b.on.Store(false) // who looks once more has it
	return nil, context.Cause(ctx)
}

// whenRead does something when so many replies were asked for.
func (b *troubled) whenRead(t *testing.T, n int64, do func()) {
	go func() {
		for b.reads.Load() < n && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		do()
	}()
}

// TestAttachEndsDone: a job that ends early keeps the results that its own requests, or earlier ones, have brought by then.
func TestAttachEndsDone(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{true, false} {
		test := fresh("attach ends done")
		b := &troubled{Bucket: memstore.New()}
		release := hold(test)
		p := newCloud(t, b)
		inputs := resumeInputs(test, 13)
		if own {
			release()
		} else {
			p.dies(t, test, 5+8, mapper.Options{BatchSize: 1}, mapWork(inputs))
			release()
			p.all.Wait()
		}
		b.on.Store(true)
		_, ex := p.start(t, mapper.Options{BatchSize: 1})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		b.whenRead(t, 8, cancel)
		if err := mapWork(inputs)(ctx, ex); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		b.on.Store(false)
		d, ex := p.start(t, mapper.Options{BatchSize: 1})
		got, err := mapper.Map(t.Context(), ex, attachWork, inputs)
		wantResults(t, inputs, got, err)
		wantRuns(t, test, len(inputs), once)
		if n := d.attached.Load(); n > 0 {
			t.Errorf("%d requests are awaited that were ended", n)
		}
	}
}

// TestAttachAlive: a driver under the name of one that lives takes what that brings, and ends nothing of it.
func TestAttachAlive(t *testing.T) {
	t.Parallel()
	test, b := fresh("attach alive"), memstore.New()
	release := hold(test)
	defer release()
	p := newCloud(t, b)
	inputs := resumeInputs(test, 10)
	_, first := p.start(t, mapper.Options{BatchSize: 1})
	ended := make(chan error, 1)
	go func() { ended <- mapWork(inputs)(t.Context(), first) }()
	for ran(test+" begun").Load() < 10 || !p.known(t) {
		time.Sleep(time.Millisecond)
	}
	d, second := p.start(t, mapper.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d.whenAttached(t, 5, cancel)
	if err := mapWork(inputs)(ctx, second); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_ = second.Close()
	d, third := p.start(t, mapper.Options{})
	d.whenAttached(t, 5, release) // they are not over, though the second has ended
	got, err := mapper.Map(t.Context(), third, attachWork, inputs)
	wantResults(t, inputs, got, err)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := ran(test + " cancelled").Load(); n > 0 {
		t.Errorf("%d tasks were cancelled", n)
	}
	wantRuns(t, test, len(inputs), once)
}

// TestForgetWords: what told a name's requests to stop goes with the name, and that of others stays.
func TestForgetWords(t *testing.T) {
	t.Parallel()
	test, b := fresh("forget words"), memstore.New()
	p := newCloud(t, b)
	p.loses.Store(true)
	p.dies(t, test, 3, mapper.Options{BatchSize: 1}, mapWork(resumeInputs(test, 3)))
	words := []string{"canceled/another"}
	j, err := journal.Open(t.Context(), b, "it", journal.Run{})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range j.Requests() {
		words = append(words, "canceled/"+q.ID.Text())
	}
	_ = j.Close()
	if len(words) != 1+3 {
		t.Fatal(words)
	}
	for _, word := range words {
		if err := b.Put(t.Context(), word, strings.NewReader("")); err != nil {
			t.Fatal(err)
		}
	}
	if err := mapper.Forget(t.Context(), b, "it"); err != nil {
		t.Fatal(err)
	}
	var left []string
	for o, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, o.Key)
	}
	if len(left) != 1 || left[0] != words[0] {
		t.Errorf("%q are left", left)
	}
}

// TestAttachUnread: where a reply cannot be read, its tasks run again, and a later run may still have it.
func TestAttachUnread(t *testing.T) {
	t.Parallel()
	test := fresh("attach unread")
	b := &troubled{Bucket: memstore.New(), err: errors.New("connection reset")}
	release := hold(test)
	p := newCloud(t, b)
	inputs := resumeInputs(test, 10)
	p.dies(t, test, 5+5, mapper.Options{BatchSize: 1}, mapWork(inputs))
	release()
	p.all.Wait()
	b.on.Store(true)
	d, ex := p.start(t, mapper.Options{Retries: -1})
	if err := mapWork(inputs)(t.Context(), ex); err == nil {
		t.Error("without replies, a job has ended well")
	}
	if n := d.attached.Load(); n < 5 {
		t.Errorf("%d requests were awaited", n)
	}
	_ = ex.Close()
	b.on.Store(false)
	j, err := journal.Open(t.Context(), b, "it", journal.Run{})
	if err != nil {
		t.Fatal(err)
	}
	open := map[int]int{} // by the run that sent them
	for _, q := range j.Requests() {
		open[q.Run]++
	}
	if _ = j.Close(); open[1] != 5 || open[2] == 0 {
		t.Errorf("requests that are open, by their run: %v", open)
	}
	_, ex = p.start(t, mapper.Options{})
	got, err := mapper.Map(t.Context(), ex, attachWork, inputs)
	wantResults(t, inputs, got, err)
	for i := range inputs { // those of the second run have ended, too, and one of each is taken
		if n := ran(test + " ran " + string(rune('0'+i))).Load(); n > 2 {
			t.Errorf("task %d ran %d times", i, n)
		}
	}
}
