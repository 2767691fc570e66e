package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// byFunction is a worker that takes its role as a user's program does, and acts by the functions of whole requests.
const byFunction = "by function"

func init() {
	badWorkers[byFunction] = func(requests, replies *os.File) {
		name := os.Getenv(backends.RoleVariable)
		err := os.Unsetenv(backends.RoleVariable)
		role, findErr := backends.FindRole(name)
		if err = errors.Join(err, findErr); err == nil {
			err = role(context.Background(), backends.Worker{Serve: perform})
		}
		runtime.KeepAlive(requests) // the role opens the same descriptors
		runtime.KeepAlive(replies)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// Longer than what is passed on in one piece, with a carriage return where the first piece ends.
var longPrint = strings.Repeat(strings.Repeat("l", 63)+"\r", 200<<10/64) + "."

// perform serves a request.
func perform(ctx context.Context, request []byte, reply io.Writer) error {
	payload, err := wire.OpenRequest(request)
	if err != nil {
		return err
	}
	var req wire.Request
	if err := wire.DecodeRequest(payload, &req); err != nil {
		return err
	}
	var results [][]byte
	switch req.Function {
	case "echo":
		for _, t := range req.Tasks {
			results = append(results, t.Data)
		}
	case "pid":
		results = [][]byte{[]byte(strconv.Itoa(os.Getpid()))}
	case "nap": // about as long as a worker waits before it listens for a cancellation
		d, err := time.ParseDuration(string(req.Tasks[0].Data))
		if err != nil {
			return err
		}
		time.Sleep(d)
	case "slow":
		if err := say(reply); err != nil {
			return err
		}
		<-ctx.Done()
	case "stubborn":
		if err := say(reply); err != nil {
			return err
		}
		time.Sleep(time.Hour)
	case "exit":
		os.Exit(3)
	case "noisy-panic":
		_, _ = os.Stderr.WriteString(strings.Repeat(strings.Repeat("n", 99)+"\n", 10_000))
		fallthrough
	case "panic":
		go culprit()
		time.Sleep(time.Hour)
	case "print":
		for _, f := range []*os.File{os.Stdout, os.Stderr} {
			_, _ = fmt.Fprintf(f, "%s first\r\n%s\n\n%s no end", f.Name(), longPrint, f.Name())
		}
	case "fill":
		fill()
	case "garbage":
		_, err := reply.Write(bytes.Repeat([]byte("junk"), 1000))
		time.Sleep(time.Hour)
		return err
	case "fork":
		cmd := exec.Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			return err
		}
		results = [][]byte{[]byte(strconv.Itoa(cmd.Process.Pid))}
	default:
		return fmt.Errorf("no function %q", req.Function)
	}
	var out []byte
	for i, value := range results {
		out = wire.AppendResult(out, i, value)
	}
	_, err = reply.Write(wire.AppendEnd(out, wire.TypeEnd, &wire.End{Ran: len(results)}))
	return err
}

func culprit() { panic("a task's goroutine gave up") }

// worker returns one that performs functions.
func worker(t *testing.T, c Config) *Child {
	t.Helper()
	c.Env = append(c.Env, badVariable+"="+byFunction)
	return started(t, c)
}

func request(function string, tasks ...string) []byte {
	r := wire.Request{Job: "j", Function: function}
	for i, data := range tasks {
		r.Tasks = append(r.Tasks, wire.Task{Index: int64(i), Attempt: 1, Data: []byte(data)})
	}
	return wire.AppendRequest(nil, &r)
}

// call sends a request and returns its results. It calls begun when the worker says that it has begun.
func call(ctx context.Context, c *Child, begun func(), function string, tasks ...string) (results []string, err error) {
	r, err := c.Invoke(ctx, request(function, tasks...))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var frames wire.Reader
	frames.Reset(r)
	for {
		kind, payload, err := frames.Next()
		if err != nil {
			return results, err
		}
		switch kind {
		case wire.TypeLog:
			begun()
		case wire.TypeResult:
			_, value, err := wire.DecodeResult(payload)
			if err != nil {
				return results, err
			}
			results = append(results, string(value))
		case wire.TypeEnd:
			if _, _, err := frames.Next(); err != io.EOF { // a cancellation is told after what came
				return results, err
			}
			return results, nil
		default:
			return results, fmt.Errorf("a frame of type %d", kind)
		}
	}
}

func mustCall(t *testing.T, c *Child, function string, tasks ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // a hang is to fail here
	defer cancel()
	results, err := call(ctx, c, nil, function, tasks...)
	if err != nil {
		t.Fatalf("%s: %v", function, err)
	}
	return results
}

// callLost calls a function that is the end of its worker.
func callLost(t *testing.T, c *Child, function string) *backends.LostError {
	t.Helper()
	_, err := call(t.Context(), c, nil, function)
	lost, ok := errors.AsType[*backends.LostError](err)
	if !ok {
		t.Fatalf("%s: error %v, want a *backends.LostError", function, err)
	}
	if lost.Worker != c.Name() || c.Alive() {
		t.Errorf("%s: the loss of %q is told; alive: %t", function, lost.Worker, c.Alive())
	}
	return lost
}
