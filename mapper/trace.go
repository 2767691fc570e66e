package mapper

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/gowren/gowren/internal/sched"
)

// scope names this package to OpenTelemetry.
const scope = "github.com/gowren/gowren/mapper"

// tracing makes spans of a step's tasks, below that of the step. A program that sets no provider pays for one question.
type tracing struct {
	tracer trace.Tracer
	ctx    context.Context
	span   trace.Span

	mu     sync.Mutex
	failed map[int64]trace.SpanContext // the last attempt at each task that is to be tried again
}

// traced begins the span of a step, where there is somebody to take it.
func (j *job) traced(ctx context.Context) (context.Context, *tracing) {
	tracer := otel.Tracer(scope)
	ctx, span := tracer.Start(ctx, j.f.Name, trace.WithAttributes(
		attribute.String("gowren.job", j.id), attribute.String("gowren.function", j.f.Name), attribute.Int("gowren.tasks.known", j.known)))
	if !span.IsRecording() {
		return ctx, nil
	}
	return ctx, &tracing{tracer: tracer, ctx: ctx, span: span, failed: map[int64]trace.SpanContext{}}
}

// attempt makes the span of one attempt at a task, from when its batch was sent. It links to the attempt before.
func (t *tracing) attempt(b *sched.Batch, task *sched.Task, f *sched.Failure, final bool) {
	options := []trace.SpanStartOption{trace.WithTimestamp(b.Begun), trace.WithAttributes(
		attribute.Int64("gowren.task", task.Index), attribute.Int("gowren.attempt", task.Attempt+1), attribute.Bool("gowren.copy", b.Copy))}
	t.mu.Lock()
	defer t.mu.Unlock()
	if before, again := t.failed[task.Index]; again {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: before}))
		delete(t.failed, task.Index)
	}
	_, span := t.tracer.Start(t.ctx, "task", options...)
	if f != nil {
		span.SetStatus(codes.Error, newTaskError("", task.Index, task.Attempt+1, f).Message)
		if !final {
			t.failed[task.Index] = span.SpanContext()
		}
	}
	span.End()
}

// end ends the step's span.
func (t *tracing) end(c sched.Counts, err error) {
	t.span.SetAttributes(attribute.Int64("gowren.tasks", c.Settled), attribute.Int64("gowren.invocations", c.Invocations),
		attribute.Int64("gowren.workers.lost", c.Lost), attribute.Int64("gowren.retries", c.Retried), attribute.Int64("gowren.copies", c.Copies))
	if err != nil {
		t.span.RecordError(err)
		t.span.SetStatus(codes.Error, err.Error())
	}
	t.span.End()
}

// instruments are the metrics of jobs. They are made when the first job ends.
var instruments = sync.OnceValues(func() (all struct {
	tasks, invocations metric.Int64Counter
	cost               metric.Float64Counter
	duration           metric.Float64Histogram
}, err error) {
	m := otel.Meter(scope)
	if all.tasks, err = m.Int64Counter("gowren.tasks", metric.WithUnit("{task}"), metric.WithDescription("Tasks that were settled, by how")); err != nil {
		return all, err
	}
	if all.invocations, err = m.Int64Counter("gowren.invocations", metric.WithUnit("{invocation}"), metric.WithDescription("Requests to workers, by how they ended")); err != nil {
		return all, err
	}
	if all.cost, err = m.Float64Counter("gowren.cost", metric.WithUnit("USD"), metric.WithDescription("Estimated cost, by what for")); err != nil {
		return all, err
	}
	all.duration, err = m.Float64Histogram("gowren.job.duration", metric.WithUnit("s"), metric.WithDescription("Time that jobs took"))
	return all, err
})

// measured reports whether anybody takes metrics.
func measured(ctx context.Context) bool {
	all, err := instruments()
	if err != nil {
		otel.Handle(err)
		return false
	}
	return all.tasks.Enabled(ctx)
}

// measure adds an ended job to the metrics.
func measure(ctx context.Context, s Stats) {
	all, err := instruments()
	if err != nil {
		return // measured has told
	}
	function := attribute.String("gowren.function", s.Function)
	kind := func(key, value string) metric.MeasurementOption {
		return metric.WithAttributes(function, attribute.String(key, value))
	}
	all.tasks.Add(ctx, s.Done-s.Failed-s.Resumed, kind("state", "done"))
	all.tasks.Add(ctx, s.Failed, kind("state", "failed"))
	all.tasks.Add(ctx, s.Resumed, kind("state", "resumed"))
	all.invocations.Add(ctx, s.Invocations-s.WorkersLost-s.Throttled, kind("end", "done"))
	all.invocations.Add(ctx, s.WorkersLost, kind("end", "lost"))
	all.invocations.Add(ctx, s.Throttled, kind("end", "throttled"))
	all.cost.Add(ctx, s.Cost.Backend, kind("for", "backend"))
	all.cost.Add(ctx, s.Cost.Store, kind("for", "store"))
	all.duration.Record(ctx, s.Ended.Sub(s.Started).Seconds(), metric.WithAttributes(function))
}
