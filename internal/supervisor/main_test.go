package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(backends.RoleVariable); name != "" {
		role, err := backends.FindRole(name)
		if err == nil {
			err = role(context.Background(), backends.Worker{Serve: act})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// The race detector makes each process wait for a second before it ends. Workers need not.
	if err := os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// act serves a request whose function says what to do.
func act(ctx context.Context, request []byte, reply io.Writer) error {
	payload, err := wire.OpenRequest(request)
	if err != nil {
		return err
	}
	var req wire.Request
	if err := wire.DecodeRequest(payload, &req); err != nil {
		return err
	}
	value := []byte("done")
	switch req.Function {
	case "exit":
		fmt.Fprintln(os.Stderr, "about to exit")
		os.Exit(3)
	case "half":
		if _, err := reply.Write(wire.AppendResult(nil, 0, []byte("first"))); err != nil {
			return err
		}
		frame := wire.AppendResult(nil, 1, []byte("second"))
		if _, err := reply.Write(frame[:len(frame)-2]); err != nil {
			return err
		}
		os.Exit(4)
	case "wait":
		<-ctx.Done()
	case "ignore":
		time.Sleep(time.Minute)
	case "sleep":
		time.Sleep(300 * time.Millisecond)
	case "print":
		for i := range 100 {
			fmt.Println("line", i)
		}
	case "limit":
		value = []byte(os.Getenv("GOMEMLIMIT"))
	case "bucket":
		value = []byte(os.Getenv(backends.BucketVariable))
	}
	if _, err := reply.Write(wire.AppendResult(nil, 0, value)); err != nil {
		return err
	}
	_, err = reply.Write(wire.AppendEnd(nil, wire.TypeEnd, &wire.End{Ran: 1}))
	return err
}

// request makes one whose function says what to do.
func request(what string) []byte { return wire.AppendRequest(nil, &wire.Request{Function: what}) }

var ownHash = strings.Repeat("0a", 32)

// newSupervisor makes one over a bucket of its own.
func newSupervisor(t *testing.T, c Config) (*Supervisor, storage.Bucket) {
	t.Helper()
	b, err := filestore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c.Name, c.Own, c.Bucket = "super", ownHash, b.URL()
	s := New(c)
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), b.Close()); err != nil {
			t.Error(err)
		}
	})
	return s, b
}

// call runs a call to its end, as a driver sees it: the last value, the log, and the error.
func call(ctx context.Context, s *Supervisor, c Call) (value string, log []string, err error) {
	relay, err := s.Begin(ctx, c)
	if err != nil {
		return "", nil, err
	}
	from, to := io.Pipe()
	var all sync.WaitGroup
	all.Go(func() { to.CloseWithError(relay.Pass(to)) })
	defer all.Wait()
	reply := NewReply(ctx, from, ReplyOptions{Worker: "super"})
	defer reply.Close()
	return readReply(reply)
}

func readReply(reply io.Reader) (value string, log []string, err error) {
	var frames wire.Reader
	frames.Reset(reply)
	for {
		kind, payload, err := frames.Next()
		if err == io.EOF {
			return value, log, nil
		}
		if err != nil {
			return value, log, err
		}
		switch kind {
		case wire.TypeResult:
			_, v, err := wire.DecodeResult(payload)
			if err != nil {
				return value, log, err
			}
			value = string(v)
		case wire.TypeLog:
			l, err := wire.DecodeLog(payload)
			if err != nil {
				return value, log, err
			}
			log = append(log, l.Text)
		}
	}
}

// twin makes another build of this program: the same one, with a few bytes more at its end.
func twin(t *testing.T, mark string) *program.Executable {
	t.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip("there is no /proc")
	}
	path := filepath.Join(t.TempDir(), "twin")
	if err := os.WriteFile(path, append(self, mark...), 0o700); err != nil {
		t.Fatal(err)
	}
	e, err := program.Find(t.Context(), path, nil, program.Platform{OS: "linux", Arch: runtime.GOARCH})
	if err != nil {
		t.Fatal(err)
	}
	return e
}
