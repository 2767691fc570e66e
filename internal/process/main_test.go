package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// badVariable makes this test binary a worker that does not keep to the protocol.
const badVariable = "GOWREN_TEST_BAD"

func TestMain(m *testing.M) {
	if os.Getenv(backends.RoleVariable) == RoleName {
		if bad := badWorkers[os.Getenv(badVariable)]; bad != nil {
			bad(os.NewFile(requestFD, "requests"), os.NewFile(replyFD, "replies"))
			os.Exit(0)
		}
		if err := serve(context.Background(), backends.Worker{Serve: act}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if pid := os.Getenv(driverVariable); pid != "" {
		drive(pid)
	}
	// The race detector makes each process wait for a second before it ends. Workers need not.
	if err := os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// act serves a request whose payload says what to do: a word, and what comes after a blank.
func act(ctx context.Context, request []byte, reply io.Writer) error {
	payload, err := wire.OpenRequest(request)
	if err != nil {
		return err
	}
	word, rest, _ := strings.Cut(string(payload), " ")
	value := []byte(rest)
	switch word {
	case "pid":
		value = []byte(strconv.Itoa(os.Getpid()))
	case "env":
		value = []byte(os.Getenv(rest))
	case "exit":
		status, err := strconv.Atoi(rest)
		if err != nil {
			return err
		}
		os.Exit(status)
	case "wait":
		if err := say(reply); err != nil {
			return err
		}
		<-ctx.Done()
	case "hang":
		if err := say(reply); err != nil {
			return err
		}
		for {
			time.Sleep(time.Hour)
		}
	case "fill":
		fill()
	case "crash":
		crash(rest)
	case "print":
		// The test's own words, byte for byte.
		if _, err := os.Stdout.WriteString(rest); err != nil {
			return err
		}
	case "child":
		cmd := exec.Command("sleep", "1000")
		if rest == "apart" { // which no kill of the group reaches
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		value = []byte(strconv.Itoa(cmd.Process.Pid))
	case "leave":
		_, err := reply.Write(wire.AppendEnd(nil, wire.TypeLeave, &wire.End{}))
		return errors.Join(err, errors.New("leaving"))
	}
	frames := wire.AppendResult(nil, 0, value)
	_, err = reply.Write(wire.AppendEnd(frames, wire.TypeEnd, &wire.End{Ran: 1}))
	return err
}

// say tells the driver that the request was begun. The driver may be dead already: that is an error to return, as workers
// do, and no panic, which would end this process before it has ended what its tasks started.
func say(reply io.Writer) error {
	_, err := reply.Write(wire.AppendLog(nil, wire.Log{Position: -1, Text: "begun"}))
	return err
}

func fill() {
	var all [][]byte
	for {
		all = append(all, bytes.Repeat([]byte("x"), 1<<20)) //nolint:staticcheck // it is to be held
	}
}

// crash panics amid a lot of noise on standard error.
func crash(how string) {
	line := strings.Repeat("n", 99) + "\n"
	if how == "before" {
		_, _ = os.Stderr.WriteString(strings.Repeat(line, 10_000))
	}
	_, _ = os.Stderr.WriteString("the last words\n")
	if how != "after" {
		panic("a crash " + how)
	}
	// As when other goroutines go on to write while one panics.
	_, _ = os.Stderr.WriteString("panic: a crash after\n\ngoroutine 1 [running]:\nmain.culprit()\n" + strings.Repeat(line, 10_000) + "the end\n")
	os.Exit(2)
}

// headerSize is that of a frame.
const headerSize = 10

// badWorkers are programs that speak no protocol, or a wrong one.
var badWorkers = map[string]func(requests, replies *os.File){
	"exit": func(_, _ *os.File) { fmt.Fprintln(os.Stderr, "no time for this"); os.Exit(7) },
	"junk": func(requests, replies *os.File) {
		_, _ = io.ReadFull(requests, make([]byte, headerSize))
		_, _ = replies.WriteString("Hello, this is no worker at all!\n")
		time.Sleep(time.Hour)
	},
	"request in a reply": func(requests, replies *os.File) {
		_, _ = io.ReadFull(requests, make([]byte, headerSize))
		_, _ = replies.Write(wire.AppendFrame(nil, wire.TypeRequest, []byte("you do it")))
		time.Sleep(time.Hour)
	},
	"more than a reply": func(requests, replies *os.File) {
		_, _ = io.ReadFull(requests, make([]byte, headerSize))
		_, _ = replies.Write(append(wire.AppendEnd(nil, wire.TypeEnd, &wire.End{}), "and more"...))
		time.Sleep(time.Hour)
	},
	"half a reply": func(requests, replies *os.File) {
		_, _ = io.ReadFull(requests, make([]byte, headerSize))
		_, _ = replies.Write(wire.AppendResult(nil, 0, []byte("half of this"))[:15])
	},
	"closes its reply": func(requests, replies *os.File) {
		_, _ = io.ReadFull(requests, make([]byte, headerSize))
		_ = replies.Close()
		time.Sleep(time.Hour)
	},
	"never reads": func(_, _ *os.File) { time.Sleep(time.Hour) },
	"stays": func(requests, replies *os.File) {
		_, _ = io.ReadFull(requests, make([]byte, headerSize))
		_, _ = replies.Write(wire.AppendEnd(nil, wire.TypeLeave, &wire.End{}))
		time.Sleep(time.Hour)
	},
}

// lines takes what workers print.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) log(_, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, line)
}

func (l *lines) get() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.all...)
}

// started returns a worker that is closed when the test ends.
func started(t *testing.T, c Config) *Child {
	t.Helper()
	c.Name = "w-1"
	child, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := child.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return child
}

func bad(what string) Config { return Config{Env: []string{badVariable + "=" + what}} }

func body(words string) []byte { return wire.AppendFrame(nil, wire.TypeRequest, []byte(words)) }

// ask sends a request and returns its result.
func ask(ctx context.Context, c *Child, words string) (string, error) {
	r, err := c.Invoke(ctx, body(words))
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(r)
	if e := r.Close(); err == nil {
		err = e
	}
	if err != nil {
		return "", err
	}
	var frames wire.Reader
	frames.Reset(bytes.NewReader(data))
	kind, payload, err := frames.Next()
	if err != nil || kind != wire.TypeResult {
		return "", fmt.Errorf("a frame of type %d: %w", kind, err)
	}
	_, value, err := wire.DecodeResult(payload)
	return string(value), err
}

func mustAsk(t *testing.T, c *Child, words string) string {
	t.Helper()
	value, err := ask(t.Context(), c, words)
	if err != nil {
		t.Fatalf("%s: %v", words, err)
	}
	return value
}

// wantLost checks that a request ends in the loss of its worker, and what is said of it.
func wantLost(t *testing.T, c *Child, words string, says ...string) *backends.LostError {
	t.Helper()
	_, err := ask(t.Context(), c, words)
	lost, ok := errors.AsType[*backends.LostError](err)
	if !ok {
		t.Fatalf("%q: error %v, want a *backends.LostError", words, err)
	}
	for _, s := range append(says, "w-1") {
		if !strings.Contains(lost.Error(), s) {
			t.Errorf("%q: error %.3000q does not say %q", words, lost.Error(), s)
		}
	}
	if c.Alive() {
		t.Errorf("%q: the lost worker is alive", words)
	}
	return lost
}

// await waits until something holds that nobody tells of.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// gone reports whether a process has ended. One that nobody has collected yet has.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(stat), ") ")
	return err == nil && strings.HasPrefix(after, "Z")
}

func awaitGone(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the end of process "+pid, func() bool { return gone(n) })
}
