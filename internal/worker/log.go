package worker

import (
	"context"
	"log/slog"
	"os"
	"strings"

	"github.com/gowren/gowren/internal/wire"
)

// LogHandler returns a handler that sends what is logged to the driver, with the task that the record's context belongs
// to. What is logged while no request is served goes to standard error.
func (w *Worker) LogHandler() slog.Handler {
	return &logHandler{w: w}
}

// logHandler makes the text of each record with a handler of its own: making it runs the user's code (LogValue,
// MarshalText), which may log in turn, so no lock is held meanwhile.
type logHandler struct {
	w     *Worker
	steps []func(slog.Handler) slog.Handler // what WithAttrs and WithGroup added, in order
}

var logOptions = slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		return slog.Attr{}
	}
	return a
}}

// Enabled implements [slog.Handler].
func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

// Handle implements [slog.Handler].
func (h *logHandler) Handle(ctx context.Context, record slog.Record) error {
	sink := &logSink{w: h.w}
	sink.slot, _ = ctx.Value(slotKey{}).(*slot)
	var text slog.Handler = slog.NewTextHandler(sink, &logOptions)
	for _, step := range h.steps {
		text = step(text)
	}
	return text.Handle(ctx, record)
}

// WithAttrs implements [slog.Handler].
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.with(func(text slog.Handler) slog.Handler { return text.WithAttrs(attrs) })
}

// WithGroup implements [slog.Handler].
func (h *logHandler) WithGroup(name string) slog.Handler {
	return h.with(func(text slog.Handler) slog.Handler { return text.WithGroup(name) })
}

func (h *logHandler) with(step func(slog.Handler) slog.Handler) slog.Handler {
	return &logHandler{h.w, append(h.steps[:len(h.steps):len(h.steps)], step)}
}

// logSink takes a record's text and makes a frame of it.
type logSink struct {
	w    *Worker
	slot *slot // of the record under way; nil is none
}

func (s *logSink) Write(text []byte) (int, error) {
	line := wire.Log{Position: -1, Text: strings.TrimSuffix(string(text), "\n")}
	var r *run
	if s.slot != nil {
		r = s.slot.r
		s.slot.mu.Lock()
		line.Position = s.slot.position
		s.slot.mu.Unlock()
	} else {
		s.w.mu.Lock()
		r = s.w.now
		s.w.mu.Unlock()
	}
	if r == nil || !r.out.add(wire.AppendLog(nil, line), true) {
		return os.Stderr.Write(text)
	}
	return len(text), nil
}
