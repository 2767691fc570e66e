package azstore

import (
	"testing"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage/storagetest"
)

// TestProgram runs an example over Blob Storage alone, below a prefix.
func TestProgram(t *testing.T) {
	t.Parallel()
	s := servers.Azure(t)
	b := below(t, address(s, s.Endpoint, newContainer(t, s)+"/below"), variables(keyVariable, s.Key))
	storagetest.WordCount(t, b, keyVariable+"="+s.Key, connectionVariable+"=")
}
