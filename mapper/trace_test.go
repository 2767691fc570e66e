package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/gowren/gowren/mapper"
)

// traceWork fails at its first attempt, or takes its worker along, where its input says so.
var traceWork = mapper.FuncWith("trace-work", func(ctx context.Context, dir string, n int) (int, error) {
	task, _ := mapper.CurrentTask(ctx)
	switch {
	case n < 0:
		return 0, os.ErrInvalid
	case n == 3 && task.Attempt == 1:
		return 0, mapper.Retryable(os.ErrClosed)
	case n == 5:
		if err := os.Mkdir(filepath.Join(dir, "lost"), 0o700); err == nil {
			os.Exit(1)
		}
	}
	return n, nil
})

var (
	traceSum   = mapper.Combine("trace-sum", func(_ context.Context, a, b int) (int, error) { return a + b, nil })
	traceEmit  = mapper.Emit("trace-emit", func(_ context.Context, n int, emit func(string, int)) error { emit("key", n); return nil })
	traceCount = mapper.ReduceByKey("trace-count", func(_ context.Context, _ string, all iter.Seq[int]) (int, error) {
		n := 0
		for range all {
			n++
		}
		return n, nil
	})
)

func init() { programs["trace"] = traceProgram }

// traceProgram has a provider of its own.
func traceProgram() {
	mapper.Main()
	if err := traceJob(); err != nil {
		println(err.Error())
		os.Exit(1)
	}
	println("all spans are as they should be")
}

func traceJob() error {
	ctx := context.Background()
	spans, numbers := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)))
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(numbers)))
	ex, err := mapper.Open(ctx, mapper.Config{Options: mapper.Options{BatchSize: 1, Speculation: -1, Quiet: true}})
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "gowren-trace-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	parent, root := otel.Tracer("test").Start(ctx, "root")
	if _, err := mapper.Map(parent, ex, traceWork.With(dir), ints(10)); err != nil {
		return err
	}
	sum, err := mapper.MapReduce(parent, ex, traceWork.With(dir), traceSum, ints(4))
	if err != nil || sum != 6 {
		return fmt.Errorf("%d: %w", sum, err)
	}
	if _, err := mapper.MapReduceByKey(parent, ex, traceEmit, traceCount, ints(4)); err != nil {
		return err
	}
	if _, err := mapper.Map(parent, ex, traceWork.With(dir), []int{-1}); err == nil {
		return errors.New("a task that fails has no error")
	}
	root.End()
	if err := ex.Close(); err != nil {
		return err
	}
	return traceLook(ctx, spans.GetSpans(), numbers)
}

// traceTree tells each span by its name and those above it, and how many there are: failed ones and links apart.
func traceTree(spans tracetest.SpanStubs) map[string]int {
	byID := map[trace.SpanID]*tracetest.SpanStub{}
	for i := range spans {
		byID[spans[i].SpanContext.SpanID()] = &spans[i]
	}
	tree := map[string]int{}
	for _, s := range spans {
		path := s.Name
		for up := byID[s.Parent.SpanID()]; up != nil; up = byID[up.Parent.SpanID()] {
			path = up.Name + "/" + path
		}
		tree[path]++
		if s.Status.Code == codes.Error {
			for _, a := range s.Attributes {
				if a.Key == "error.type" {
					path += " " + a.Value.AsString()
				}
			}
			tree[path]++
		}
		tree["links"] += len(s.Links)
	}
	return tree
}

func traceLook(ctx context.Context, spans tracetest.SpanStubs, numbers sdkmetric.Reader) error {
	want := map[string]int{
		"root": 1, "links": 3, // of the second attempts at 3, twice, and at 5
		"root/job trace-work": 2, "root/job trace-work/task trace-work": 13,
		"root/job trace-work/task trace-work worker_lost": 1, "root/job trace-work/task trace-work function": 2, "root/job trace-work function": 1,
		"root/job trace-work/step trace-work": 1, "root/job trace-work/step trace-work/task trace-work": 5,
		"root/job trace-work/step trace-work/task trace-work function": 1,
		"root/job trace-work/step trace-sum":                           1, "root/job trace-work/step trace-sum/task trace-sum": 1,
		"root/job trace-emit": 1, "root/job trace-emit/step trace-emit": 1, "root/job trace-emit/step trace-emit/task trace-emit": 4,
		"root/job trace-emit/step trace-count": 1, "root/job trace-emit/step trace-count/task trace-count": 1,
	}
	want["root/job trace-work"]++ // the one with steps
	if diff := cmp.Diff(want, traceTree(spans)); diff != "" {
		return errors.New(diff)
	}
	var all metricdata.ResourceMetrics
	if err := numbers.Collect(ctx, &all); err != nil {
		return err
	}
	done := int64(0)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "gowren.tasks" {
				for _, p := range sum.DataPoints {
					done += p.Value
				}
			}
		}
	}
	if done != 10+5+5+1 {
		return fmt.Errorf("%d tasks are measured", done)
	}
	return nil
}

// TestTrace: a program that sets providers sees a span for each job, below it one for each step where it has several, and
// below these one for each attempt at a task, with links from an attempt to the one before, and the numbers of tasks. It is a program of its own, since providers are global.
func TestTrace(t *testing.T) {
	t.Parallel()
	runProgram(t, "trace", "GOWREN_BACKEND=local://?workers=2", "GOWREN_STORAGE=file://"+t.TempDir()).says(t, 0, "all spans are as they should be")
}
