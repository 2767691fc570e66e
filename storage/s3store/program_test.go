package s3store_test

import (
	"testing"

	"github.com/gowren/gowren/storage/storagetest"
)

// TestProgram runs an example over S3 alone.
func TestProgram(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	storagetest.WordCount(t, b) // its environment has the credentials
}
