package gcsstore

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/gowren/gowren/internal/servers"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := servers.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "Close:", err)
			code = max(code, 1)
		}
		os.Exit(code)
	}))
}
