package httpworker_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/backendtest"
	"github.com/gowren/gowren/storage"
)

func TestMain(m *testing.M) {
	backendtest.Itself()
	backendtest.Main(m)
}

const token = "a-token-of-the-tests"

// own is the hash of this program.
var own = sync.OnceValue(func() string {
	f, err := os.Open(os.Getenv("GOWREN_PROGRAM"))
	if err != nil {
		panic(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		panic(err)
	}
	return hex.EncodeToString(h.Sum(nil))
})

// startWorker starts a worker and returns its URL. More variables may replace the usual ones.
func startWorker(t testing.TB, bucket storage.Bucket, more ...string) (url string, cmd *exec.Cmd) {
	t.Helper()
	addr := freeAddr(t)
	for _, v := range more {
		if given, ok := strings.CutPrefix(v, "GOWREN_WORKER_ADDR="); ok {
			addr = given
		}
	}
	cmd = exec.Command(os.Getenv("GOWREN_PROGRAM"))
	cmd.Env = append(os.Environ(), backends.RoleVariable+"=http", backends.ProgramVariable+"="+own(), backends.BucketVariable+"="+bucket.URL(),
		"GOWREN_WORKER_ADDR="+addr, "GOWREN_WORKER_TOKEN="+token, "GOWREN_WORKER_SLOTS=2")
	cmd.Env = append(cmd.Env, more...)
	cmd.SysProcAttr = dying()
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed := make(chan struct{})
	go func() {
		defer close(printed)
		out := io.Discard
		if testing.Verbose() {
			out = os.Stderr
		}
		_, _ = io.Copy(out, said) // it ends with the worker
	}()
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		}
		<-printed
		_ = cmd.Wait() // a test that wants to know waits itself
	})
	await(t, "the worker at "+addr, func() bool {
		resp, err := http.Get("http://" + addr + "/healthz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusBadRequest // to who speaks no TLS
	})
	http.DefaultClient.CloseIdleConnections()
	return "http://" + addr, cmd
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
