package mapper_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowren/gowren/internal/journal"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

// said is a log that several write.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

var (
	stops      sync.Map // what stops a test's job
	resumeStop = mapper.Func("resume-stop", func(_ context.Context, in resumeInput) (int, error) {
		stop, _ := stops.Load(in.Test)
		stop.(func())()
		return 0, errors.New("it fails")
	})
	resumeShared = mapper.FuncWith("resume-shared", func(_ context.Context, _ []byte, n int) (int, error) { return n, nil })
)

var errStop = errors.New("stopped by the test")

// TestResumeHangs: a store that does not answer keeps nobody for long who wants to end, and the error says what is lost.
func TestResumeHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			o    mapper.Options
			end  time.Duration
			want error
		}{
			"stopped": {mapper.Options{}, time.Hour, errStop},
			"limit":   {mapper.Options{MaxTime: time.Minute}, time.Minute, mapper.ErrMaxTime},
		} {
			c.o.Resume = "it"
			b := storagetest.Faults(memstore.New(), storagetest.Rule{Op: "putnew", Key: "resume/it/1-*/0", Stall: true})
			ex := resuming(t, b, c.o)
			ctx, cancel := context.WithCancelCause(t.Context())
			began := time.Now()
			time.AfterFunc(c.end, func() {
				if c.want == errStop {
					cancel(errStop)
				}
			})
			_, err := mapper.Map(ctx, ex, resumeWork, resumeInputs(fresh("hangs"), 10))
			cancel(nil)
			if took := time.Since(began); err == nil || took > c.end+30*time.Second {
				t.Errorf("%s: %v after %v", name, err, took)
			}
			mentions(t, err, "not known to be kept", "10 results")
			if err := ex.Close(); err == nil {
				t.Errorf("%s: Close does not tell", name)
			}
		}
	})
}

// TestResumeWhy: who is stopped before its first task says why, and how to go on.
func TestResumeWhy(t *testing.T) {
	t.Parallel()
	for _, rule := range []storagetest.Rule{
		{Op: "get", Key: "resume/it/run-1", Stall: true},         // while the journal is read
		{Op: "put", Key: "resume/it/data/shared-*", Stall: true}, // while the shared argument is written
	} {
		ex := resuming(t, storagetest.Faults(memstore.New(), rule), mapper.Options{Resume: "it"})
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(20*time.Millisecond, func() { cancel(errStop) })
		_, err := mapper.Map(ctx, ex, resumeShared.With(make([]byte, 1<<20)), []int{1})
		if !errors.Is(err, errStop) {
			t.Errorf("%s: %v", rule.Key, err)
		}
		_, err = mapper.Map(t.Context(), ex.With(mapper.Options{MaxTime: 20 * time.Millisecond}), resumeShared.With(make([]byte, 1<<20)), []int{1})
		if !errors.Is(err, mapper.ErrMaxTime) {
			t.Errorf("%s: %v", rule.Key, err)
		}
	}
}

// TestResumeGoOn: a job that was stopped says how to go on; one that failed has told what to mend.
func TestResumeGoOn(t *testing.T) {
	t.Parallel()
	for _, stopped := range []bool{true, false} {
		log := new(said)
		ex := resuming(t, memstore.New(), mapper.Options{Resume: "it", Log: log})
		ctx, cancel := context.WithCancelCause(t.Context())
		inputs := resumeInputs(fresh("go on"), 1)
		stops.Store(inputs[0].Test, func() {
			if stopped {
				cancel(errStop)
			}
		})
		_, err := mapper.Map(ctx, ex, resumeStop, inputs)
		cancel(nil)
		if err == nil || errors.Is(err, errStop) != stopped {
			t.Error(err)
		}
		if says := strings.Contains(log.String(), `run again with the same Options.Resume ("it") to go on`); says != stopped {
			t.Errorf("stopped %v: it says %q", stopped, log.String())
		}
	}
}

// TestResumeText: the error of a job that fails is the same with a name to resume.
func TestResumeText(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, o := range []mapper.Options{{}, {Resume: "it"}} {
		inputs := resumeInputs(fresh("text"), 1)
		breaks.Store(inputs[0].Test, 0)
		_, err := mapper.Map(t.Context(), resuming(t, memstore.New(), o), resumeWork, inputs)
		if err == nil {
			t.Fatal("it does not fail")
		}
		texts = append(texts, err.Error())
	}
	if texts[0] != texts[1] {
		t.Errorf("%q becomes %q", texts[0], texts[1])
	}
}

// TestResumeStrict: each job is asked whether it goes on with what another program began, not the first one alone.
func TestResumeStrict(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	j, err := journal.Open(t.Context(), b, "it", journal.Run{Program: "another"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Record(t.Context(), journal.ID{}, nil), j.Close()); err != nil {
		t.Fatal(err)
	}
	log := new(said)
	ex := resuming(t, b, mapper.Options{Resume: "it", Log: log})
	strict := ex.With(mapper.Options{ResumeStrict: true})
	for range 2 {
		if _, err := mapper.Map(t.Context(), strict, resumeWork, resumeInputs(fresh("strict"), 1)); !errors.Is(err, mapper.ErrProgramChanged) {
			t.Error(err)
		}
		if _, err := mapper.Map(t.Context(), ex, resumeWork, resumeInputs(fresh("strict"), 1)); err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(log.String(), "another program"); n != 1 {
		t.Errorf("it says %d times that the program is another: %s", n, log)
	}
}
