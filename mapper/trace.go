package mapper

import (
	"context"
	"errors"
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
	tracer   trace.Tracer
	ctx      context.Context
	span     trace.Span
	function string

	mu     sync.Mutex
	failed map[int64]trace.SpanContext // the last attempt at each task that is to be tried again
}

// spanned begins the span of a job of several steps. What it returns ends it.
func (j *job) spanned(ctx context.Context) (context.Context, func(error)) {
	j.stepped = true
	ctx, span := otel.Tracer(scope).Start(ctx, "job "+j.f.Name, trace.WithAttributes(j.attributes()...))
	return ctx, func(err error) {
		if span.IsRecording() {
			endSpan(span, j.counted(), err)
		}
	}
}

// attributes tell of which job, or step of one, a span is.
func (j *job) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("gowren.job.id", j.id), attribute.String("gowren.function.name", j.f.Name)}
}

// traced begins the span of a step, or of a job that is a single one, where there is somebody to take it.
func (j *job) traced(ctx context.Context) (context.Context, *tracing) {
	tracer, kind := otel.Tracer(scope), "job "
	if j.root().stepped {
		kind = "step "
	}
	ctx, span := tracer.Start(ctx, kind+j.f.Name, trace.WithAttributes(j.attributes()...))
	if !span.IsRecording() {
		return ctx, nil
	}
	return ctx, &tracing{tracer: tracer, ctx: ctx, span: span, function: j.f.Name, failed: map[int64]trace.SpanContext{}}
}

// attempt makes the span of one attempt at a task, from when its batch was sent. It links to the attempt before.
func (t *tracing) attempt(b *sched.Batch, task *sched.Task, f *sched.Failure, final bool) {
	options := []trace.SpanStartOption{trace.WithTimestamp(b.Begun), trace.WithAttributes(attribute.String("gowren.function.name", t.function),
		attribute.Int64("gowren.task.index", task.Index), attribute.Int("gowren.task.attempt", int(task.Attempt)+1), attribute.Bool("gowren.task.copy", b.Copy))}
	t.mu.Lock()
	defer t.mu.Unlock()
	if before, again := t.failed[task.Index]; again {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: before}))
		delete(t.failed, task.Index)
	}
	_, span := t.tracer.Start(t.ctx, "task "+t.function, options...)
	if f != nil {
		e := newTaskError(t.function, task.Index, int(task.Attempt)+1, f)
		span.SetAttributes(errorType(e))
		span.SetStatus(codes.Error, e.Message)
		if !final {
			t.failed[task.Index] = span.SpanContext()
		}
	}
	span.End()
}

// end ends the step's span.
func (t *tracing) end(c sched.Counts, err error) { endSpan(t.span, c, err) }

// endSpan ends the span of a job or a step.
func endSpan(span trace.Span, c sched.Counts, err error) {
	span.SetAttributes(attribute.Int64("gowren.tasks.done", c.Settled), attribute.Int64("gowren.tasks.failed", c.Failed), attribute.Int64("gowren.tasks.retried", c.Retried),
		attribute.Int64("gowren.invocations.all", c.Invocations), attribute.Int64("gowren.invocations.lost", c.Lost), attribute.Int64("gowren.invocations.copies", c.Copies))
	if err != nil {
		span.RecordError(err)
		span.SetAttributes(errorType(err))
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

// errorType is an error's kind, of which there are few.
func errorType(err error) attribute.KeyValue {
	for _, kind := range []struct {
		err  error
		name string
	}{
		{ErrMaxCost, "max_cost"}, {ErrMaxTime, "max_time"}, {context.Canceled, "cancelled"}, {ErrOutOfMemory, "out_of_memory"}, {ErrWorkerLost, "worker_lost"},
		{ErrTimeout, "timeout"}, {ErrPanic, "panic"}, {ErrInput, "input"}, {ErrResult, "result"}, {ErrFunction, "function"},
	} {
		if errors.Is(err, kind.err) {
			return attribute.String("error.type", kind.name)
		}
	}
	return attribute.String("error.type", "_OTHER")
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
	function := attribute.String("gowren.function.name", s.Function)
	kind := func(key, value string) metric.MeasurementOption {
		return metric.WithAttributes(function, attribute.String(key, value))
	}
	all.tasks.Add(ctx, s.Done-s.Failed-s.Resumed, kind("gowren.task.state", "done"))
	all.tasks.Add(ctx, s.Failed, kind("gowren.task.state", "failed"))
	all.tasks.Add(ctx, s.Resumed, kind("gowren.task.state", "resumed"))
	all.invocations.Add(ctx, s.Invocations-s.WorkersLost-s.Throttled, kind("gowren.invocation.end", "done"))
	all.invocations.Add(ctx, s.WorkersLost, kind("gowren.invocation.end", "lost"))
	all.invocations.Add(ctx, s.Throttled, kind("gowren.invocation.end", "throttled"))
	all.cost.Add(ctx, s.Cost.Backend, kind("gowren.cost.for", "backend"))
	all.cost.Add(ctx, s.Cost.Store, kind("gowren.cost.for", "store"))
	all.duration.Record(ctx, s.Ended.Sub(s.Started).Seconds(), metric.WithAttributes(function))
}
