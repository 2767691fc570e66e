package servers

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// holderVariable makes this test binary a process that starts a server and does not end by itself.
const holderVariable = "GOWREN_TEST_SERVER_HOLDER"

func TestMain(m *testing.M) {
	if os.Getenv(holderVariable) != "" {
		os.Exit(hold(m))
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := Close(); err != nil {
			fmt.Fprintln(os.Stderr, "Close:", err)
			code = max(code, 1)
		}
		os.Exit(code)
	}))
}

// hold tells the server's address, and waits for its own end, for which the test sees.
func hold(*testing.M) int {
	l := launch{Kind: os.Getenv(holderVariable), Name: "holder", Secret: "c2VjcmV0"}
	var err error
	if l.Program, err = kinds[l.Kind].find(); err == nil {
		var s *server
		if s, err = launched(l); err == nil {
			fmt.Println(s.addr)
			time.Sleep(time.Hour)
		}
	}
	fmt.Println(err)
	return 1
}

// launched starts a server of its own.
func launched(l launch) (*server, error) {
	spec, err := l.spec()
	if err != nil {
		return nil, err
	}
	s := &server{}
	return s, s.start(spec)
}
