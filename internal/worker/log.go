package worker

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/gowren/gowren/internal/wire"
)

// LogHandler returns a handler that sends what is logged to the driver, with the task that the record's context belongs
// to. What is logged while no request is served goes to standard error.
func (w *Worker) LogHandler() slog.Handler {
	sink := &logSink{w: w}
	text := slog.NewTextHandler(sink, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}})
	return &logHandler{text, sink}
}

type logHandler struct {
	slog.Handler
	sink *logSink
}

// Handle implements [slog.Handler].
func (h *logHandler) Handle(ctx context.Context, record slog.Record) error {
	h.sink.mu.Lock()
	defer h.sink.mu.Unlock()
	h.sink.slot, _ = ctx.Value(slotKey{}).(*slot)
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements [slog.Handler].
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logHandler{h.Handler.WithAttrs(attrs), h.sink}
}

// WithGroup implements [slog.Handler].
func (h *logHandler) WithGroup(name string) slog.Handler {
	return &logHandler{h.Handler.WithGroup(name), h.sink}
}

// logSink takes a record's text and makes a frame of it.
type logSink struct {
	w    *Worker
	mu   sync.Mutex
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
