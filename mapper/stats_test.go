package mapper_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/mapper"
)

// statsMixed fails, passes at the second attempt, or loses its worker, which leaves a file to remember it by.
var statsMixed = mapper.FuncWith("stats-mixed", func(ctx context.Context, lost string, x int) (int, error) {
	task, _ := mapper.CurrentTask(ctx)
	switch {
	case x%10 == 3:
		return 0, errors.New("three")
	case x%10 == 7 && task.Attempt == 1:
		return 0, mapper.Retryable(errors.New("seven"))
	case x == 50:
		if err := os.Mkdir(lost, 0o700); err == nil {
			os.Exit(1)
		}
	}
	return x, nil
})

// TestStats: of an ended job, all numbers are known.
func TestStats(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	ex := open(t, "local://?workers=2").With(mapper.Options{ContinueOnError: true, BatchSize: 5})
	job := start(t, t.Context(), ex, statsMixed.With(filepath.Join(t.TempDir(), "lost")), 100)
	if job.ID() == "" || job.ID() == start(t, t.Context(), ex, jobDouble, 0).ID() {
		t.Errorf("the name %q is not one of its own", job.ID())
	}
	var all *mapper.JobError
	if err := job.Wait(); !errors.As(err, &all) || all.Failed != 10 {
		t.Fatal(err)
	}
	want := mapper.Progress{Done: 100, Failed: 10, Retried: 10}
	got := job.Progress()
	if got.Retried == 11 { // of the batch that lost its worker, the culprit alone was left
		want.Retried = 11
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s := job.Stats()
	if s.Done != 100 || s.Failed != 10 || s.Retried != got.Retried || s.WorkersLost < 1 || s.Invocations < 20 || s.Throttled != 0 {
		t.Errorf("%+v", s)
	}
	if len(s.Failures) != 10 || s.Failures[0].Error == "" || s.Failures[0].Attempts < 1 {
		t.Errorf("failures %+v", s.Failures)
	}
	if s.Started.Before(begun) || s.Ended.Before(s.Started) || s.Ended.After(time.Now()) {
		t.Errorf("from %v to %v", s.Started, s.Ended)
	}
}

// TestProgress: while a job runs, no task is counted twice.
func TestProgress(t *testing.T) {
	t.Parallel()
	const n = 50_000
	job := start(t, t.Context(), open(t, "inproc://?workers=2"), jobDouble, n)
	read, before := int64(0), int64(0)
	for _, err := range job.Results() {
		if err != nil {
			t.Fatal(err)
		}
		if read++; read%100 != 0 {
			continue
		}
		p := job.Progress()
		if p.Queued < 0 || p.Running < 0 || p.Queued+p.Running+p.Done > n+2 || p.Done < before || p.Failed != 0 {
			t.Fatalf("%+v after %+v", p, before)
		}
		if !job.Stats().Ended.IsZero() && read < n-1024 {
			t.Fatal("it has ended while results wait")
		}
		before = p.Done
	}
	if diff := cmp.Diff(mapper.Progress{Done: n}, job.Progress()); diff != "" {
		t.Error(diff)
	}
}

// TestProgressEarlyEnd: nothing runs in a job that was cancelled; what it did not get to stays queued.
func TestProgressEarlyEnd(t *testing.T) {
	t.Parallel()
	job := start(t, t.Context(), open(t, "inproc://?workers=2"), closeBlocks, 10)
	for job.Progress().Running == 0 {
		time.Sleep(time.Millisecond)
	}
	job.Cancel()
	if p := job.Progress(); p.Running != 0 || p.Queued != 10 || p.Done != 0 || p.Failed != 0 || p.More {
		t.Errorf("%+v", p)
	}
}
