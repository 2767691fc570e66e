package worker

import (
	"context"
	"log/slog"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

type loggingValue struct{ logger *slog.Logger }

func (v loggingValue) LogValue() slog.Value {
	v.logger.Info("from within")
	return slog.StringValue("shown")
}

// A value may log while it is logged.
func TestNestedLog(*testing.T) {
	w := New(1, func(context.Context) (storage.Bucket, error) { return memstore.New(), nil })
	defer w.Close()
	logger := slog.New(w.LogHandler()).With("a", 1).WithGroup("g")
	logger.Info("outer", "v", loggingValue{logger})
}
