package lambda

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
)

// confined returns a server that confines, or skips the test.
func confined(t *testing.T) *at {
	t.Helper()
	a := started(t, Options{})
	if !a.Confines() {
		t.Skip("this machine has no version 1 control groups that we may write")
	}
	return a
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

// TestFreeze checks that a function's goroutines rest between invocations, and go on in the next.
func TestFreeze(t *testing.T) {
	t.Parallel()
	for _, unconfined := range []bool{false, true} {
		t.Run(fmt.Sprint("unconfined=", unconfined), func(t *testing.T) {
			t.Parallel()
			a := started(t, Options{Unconfined: unconfined})
			a.create("f")
			path := filepath.Join(t.TempDir(), "beat")
			beat := func() string { b, _ := os.ReadFile(path); return string(b) }
			a.mustInvoke("f", fmt.Sprintf(`{"Do":"beat","With":%q}`, path))
			// A write is two system calls, and the freeze may be between them: what counts is that nothing changes.
			before := beat()
			time.Sleep(50 * time.Millisecond)
			if after := beat(); after != before {
				t.Errorf("it went on from %s to %s", before, after)
			}
			done := make(chan error, 1)
			until := filepath.Join(t.TempDir(), "go")
			go func() {
				_, err := a.invoke(t.Context(), "f", fmt.Sprintf(`{"Do":"until","With":%q}`, until))
				done <- err
			}()
			await(t, "a beat", func() bool { return beat() != before && beat() != "" })
			if err := os.WriteFile(until, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMemory checks that a function has its memory and no more.
func TestMemory(t *testing.T) {
	t.Parallel()
	a := confined(t)
	a.create("f", func(in *awslambda.CreateFunctionInput) { in.MemorySize = aws.Int32(256) })
	r, err := a.invoke(t.Context(), "f", `{"Do":"fill"}`)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(r.Payload); !strings.Contains(text, `"Runtime.OutOfMemory"`) || !strings.Contains(text, "Error: Runtime exited with error: signal: killed") {
		t.Errorf("%s", text)
	}
	if text := tail(t, r.LogResult); !strings.Contains(text, "Memory Size: 256 MB\tMax Memory Used: 256 MB") {
		t.Errorf("%s", text)
	}
	a.mustInvoke("f", `{"Do":"count"}`)
}

// TestProcessesEnd checks that nothing of an environment outlives it: neither what its bootstrap started, nor the bootstrap.
func TestProcessesEnd(t *testing.T) {
	t.Parallel()
	a := confined(t)
	a.create("f")
	pid := func(text string) int {
		t.Helper()
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	child := pid(a.mustInvoke("f", `{"Do":"child"}`))
	a.Kill("f")
	await(t, "the end of a child", func() bool { return gone(child) })
	child, parent := pid(a.mustInvoke("f", `{"Do":"child"}`)), pid(a.mustInvoke("f", `{"Do":"pid"}`))
	memory, freezer := a.jailed()
	a.Close()
	if !gone(child) || !gone(parent) {
		t.Error("processes are left")
	}
	if exists(memory) || exists(freezer) {
		t.Error("control groups are left")
	}
}

// TestProcessKilled checks that all ends with a test process that is killed while its function is frozen.
func TestProcessKilled(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), holderVariable+"=confined", "TMPDIR="+t.TempDir()) // which it cannot clean up
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var words []string
	for lines := bufio.NewScanner(out); lines.Scan() && words == nil; {
		if rest, ok := strings.CutPrefix(lines.Text(), "holding "); ok {
			words = strings.Fields(rest)
			break
		}
		t.Log(lines.Text())
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	if len(words) < 2 {
		t.Fatal("it did not hold")
	}
	bootstrap, _ := strconv.Atoi(words[0])
	await(t, "the bootstrap's end", func() bool { return gone(bootstrap) })
	if len(words) == 4 { // without control groups, a child that leaves the group is its parent's affair
		child, _ := strconv.Atoi(words[1])
		await(t, "the child's end", func() bool { return gone(child) })
		await(t, "the end of the control groups", func() bool { return !exists(words[2]) && !exists(words[3]) })
	}
}
