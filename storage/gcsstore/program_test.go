package gcsstore

import (
	"testing"

	"github.com/gowren/gowren/storage/storagetest"
)

// TestProgram runs an example over Cloud Storage alone.
func TestProgram(t *testing.T) {
	t.Parallel()
	storagetest.WordCount(t, fresh(t))
}
