package mapper_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/gowren/gowren/mapper"
)

// traceWork fails at its first attempt, or takes its worker along, where its input says so.
var traceWork = mapper.FuncWith("trace-work", func(ctx context.Context, dir string, n int) (int, error) {
	task, _ := mapper.CurrentTask(ctx)
	switch {
	case n == 3 && task.Attempt == 1:
		return 0, mapper.Retryable(os.ErrClosed)
	case n == 5:
		if err := os.Mkdir(filepath.Join(dir, "lost"), 0o700); err == nil {
			os.Exit(1)
		}
	}
	return n, nil
})

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
	ex, err := mapper.Open(ctx, mapper.Config{Options: mapper.Options{BatchSize: 1, Quiet: true}})
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
	root.End()
	if err := ex.Close(); err != nil {
		return err
	}
	return traceLook(ctx, spans.GetSpans(), root.SpanContext().TraceID().String(), numbers)
}

func traceLook(ctx context.Context, spans tracetest.SpanStubs, trace string, numbers sdkmetric.Reader) error {
	links, failed, tasks, jobs := 0, 0, 0, 0
	for _, s := range spans {
		if s.SpanContext.TraceID().String() != trace {
			return os.ErrInvalid
		}
		switch s.Name {
		case "task":
			tasks++
			links += len(s.Links)
			if s.Status.Code == codes.Error {
				failed++
			}
		case "trace-work":
			jobs++
		}
	}
	println("spans:", jobs, "jobs", tasks, "attempts", failed, "failed", links, "links")
	if jobs != 1 || tasks != 12 || failed != 2 || links != 2 {
		return os.ErrInvalid
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
	println("metrics:", done, "tasks")
	if done != 10 {
		return os.ErrInvalid
	}
	return nil
}

// TestTrace: a program that sets providers sees a span for each job and each attempt at a task, with links from an attempt
// to the one before, and the numbers of tasks. It is a program of its own, since providers are global.
func TestTrace(t *testing.T) {
	t.Parallel()
	runProgram(t, "trace", "GOWREN_BACKEND=local://?workers=2", "GOWREN_STORAGE=file://"+t.TempDir()).says(t, 0, "all spans are as they should be")
}
