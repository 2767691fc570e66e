package redisstore

import (
	"testing"

	"github.com/gowren/gowren/storage/storagetest"
)

// TestProgram runs an example over Redis alone.
func TestProgram(t *testing.T) {
	t.Parallel()
	storagetest.WordCount(t, opened(t, freshURL(t, server(t))+"/below"))
}
