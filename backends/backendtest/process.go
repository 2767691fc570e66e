package backendtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage/filestore"
)

// processCases: workers that are processes of this machine come and go without a trace.
var processCases = []testCase{
	{name: "process/environment", local: true, run: func(t *testing.T, h *harness) {
		a, err := mapper.Call(t.Context(), h.executor(t, mapper.Options{}), do, order{What: "env"})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{backends.RoleVariable, backends.BucketVariable} {
			if strings.Contains(a.Text, v+"=") {
				t.Errorf("what a task starts sees %s", v)
			}
		}
	}},
	{name: "process/standard input", local: true, run: func(t *testing.T, h *harness) {
		a, err := mapper.Call(t.Context(), h.executor(t, mapper.Options{}), do, order{What: "stdin"})
		if err != nil || a.Text != "" {
			t.Errorf("standard input holds %q, %v", a.Text, err)
		}
	}},
	{name: "process/killed while idle", local: true, run: func(t *testing.T, h *harness) {
		ex := h.executor(t, mapper.Options{Retries: -1, BatchSize: 1}) // a loss would be told
		for range 5 {
			got, err := mapper.Map(t.Context(), ex, do, make([]order, 8))
			if err != nil {
				t.Fatal(err)
			}
			for _, pid := range pidsOf(got) {
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				// Not before the backend has collected it are all its threads gone, and its ends of the pipes closed.
				await(t, fmt.Sprintf("the end of process %d", pid), func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
			}
		}
	}},
	{name: "process/children after a job", local: true, ends: true, run: func(t *testing.T, h *harness) {
		if _, err := mapper.Call(t.Context(), h.executor(t, mapper.Options{}), do, order{What: "child", N: 1, Dir: h.dir}); err != nil {
			t.Fatal(err)
		}
		if err := h.ex.Close(); err != nil {
			t.Error(err)
		}
		awaitGone(t, h.awaitMarks(t, "kid", 1)...)
	}},
	{name: "process/children after a crash", local: true, run: func(t *testing.T, h *harness) {
		inputs := []order{{What: "child", N: 1, Dir: h.dir}, {What: "exit"}}
		_, err := mapper.Map(t.Context(), h.executor(t, mapper.Options{BatchSize: 2, Concurrency: 1, Retries: -1}), do, inputs)
		if err == nil {
			t.Error("a job whose task exits is no error")
		}
		awaitGone(t, h.awaitMarks(t, "kid", 1)...)
	}},
	{name: "process/driver killed", local: true, run: func(t *testing.T, h *harness) {
		if h.options.URL == "" {
			t.Skip("the backend cannot be opened by a driver of its own")
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), driverVariable+"="+h.options.URL+"\n"+filestore.URL(t.TempDir())+"\n"+h.dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pids := slices.Concat(h.awaitMarks(t, "kid", 1), h.awaitMarks(t, "begun", 2))
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Errorf("the driver ended by itself: %v", err)
		}
		awaitGone(t, pids...)
	}},
	{name: "process/files", local: true, run: func(t *testing.T, h *harness) {
		if !hasProc() {
			t.Skip("there is no /proc")
		}
		mine, err := exec.CommandContext(t.Context(), "ls", "/proc/self/fd").Output() // what this process was given itself
		if err != nil {
			t.Fatal(err)
		}
		a, err := mapper.Call(t.Context(), h.executor(t, mapper.Options{}), do, order{What: "fds"})
		if err != nil || len(strings.Fields(a.Text)) != len(strings.Fields(string(mine))) {
			t.Errorf("what a task starts has inherited files: %q, where this process passes on %q, %v", a.Text, mine, err)
		}
	}},
}

func pidsOf(answers []answer) []int {
	var pids []int
	for _, a := range answers {
		if !slices.Contains(pids, a.PID) {
			pids = append(pids, a.PID)
		}
	}
	return pids
}
