package azstore

import (
	"testing"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/storagetest"
)

// options are those of the suite: the emulator would take the keys that Azure does not hold, and is slow with many.
var options = storagetest.Options{Refused: []string{`back\slash`, `..\x`, "dot.", "..."}, Keys: 350}

func TestConformance(t *testing.T) {
	s := servers.Azure(t)
	// For buckets that the suite opens by their URL.
	t.Setenv(connectionVariable, "")
	t.Setenv(accountVariable, "")
	t.Setenv(keyVariable, s.Key)
	storagetest.RunWith(t, func(t *testing.T) storage.Bucket {
		return opened(t, address(s, s.Endpoint, newContainer(t, s)), variables(keyVariable, s.Key))
	}, options)
}

func BenchmarkBucket(b *testing.B) {
	storagetest.Bench(b, func(b *testing.B) storage.Bucket {
		s := servers.Azure(b)
		return opened(b, address(s, s.Endpoint, newContainer(b, s)), variables(keyVariable, s.Key))
	})
}
