package backendtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

// harness is what one case uses.
type harness struct {
	backend backends.Backend
	bucket  storage.Bucket
	folder  string // the bucket's; empty where it is in a store
	dir     string // where tasks leave marks
	log     *logText
	ex      *mapper.Executor
	options Options
	open    func(t *testing.T, bucket storage.Bucket) backends.Backend
}

func newHarness(t *testing.T, open func(*testing.T, storage.Bucket) backends.Backend, o Options) *harness {
	h := &harness{dir: t.TempDir(), log: &logText{}, options: o, open: open}
	if o.Bucket != nil {
		h.bucket = o.Bucket(t)
	} else {
		h.folder = t.TempDir()
		bucket, err := filestore.Open(h.folder)
		if err != nil {
			t.Fatal(err)
		}
		h.bucket = bucket
		link(t, h.folder)
	}
	h.backend = open(t, h.bucket)
	t.Cleanup(func() {
		// Closing it twice is no fault, so that a case may do so itself.
		if err := h.backend.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		h.wantEmpty(t)
		if err := h.bucket.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return h
}

// executor returns one over the case's backend, which is made once.
func (h *harness) executor(t *testing.T, o mapper.Options) *mapper.Executor {
	t.Helper()
	if h.ex == nil {
		ex, err := mapper.New(t.Context(), h.backend, h.bucket, mapper.Options{Log: h.log, Quiet: true})
		if err != nil {
			t.Fatal(err)
		}
		h.ex = ex
		t.Cleanup(func() {
			if err := ex.Close(); err != nil {
				t.Errorf("close the executor: %v", err)
			}
		})
	}
	return h.ex.With(o)
}

// wantEmpty checks that jobs have left nothing in the bucket, nor in its folder. Workers that outlive the backend may
// still be about to delete what a cancelled task was writing.
func (h *harness) wantEmpty(t *testing.T) {
	t.Helper()
	if h.options.Outlives {
		await(t, "an empty bucket", func() bool { return len(h.files(t)) == 0 })
	}
	for _, name := range h.files(t) {
		t.Errorf("the bucket still has %s", name)
	}
}

// files returns what is in the bucket, or in its folder where it has one.
func (h *harness) files(t *testing.T) []string {
	t.Helper()
	var files []string
	if h.folder == "" {
		for o, err := range h.bucket.List(context.WithoutCancel(t.Context()), "") {
			if err != nil {
				t.Error(err)
			} else if !strings.HasPrefix(o.Key, "programs/") { // those stay for the next driver
				files = append(files, o.Key)
			}
		}
		return files
	}
	err := filepath.WalkDir(h.folder, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was deleted meanwhile
		}
		if path == filepath.Join(h.folder, "programs") { // those stay for the next driver
			return fs.SkipDir
		}
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return files
}

// waitObject reports whether anything appears in the bucket soon.
func (h *harness) waitObject(t *testing.T) bool {
	if h.folder != "" {
		return waitObject(h.folder)
	}
	for range 1000 {
		if len(h.files(t)) > 0 {
			return true
		}
	}
	return false
}

// logText takes what workers print.
type logText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
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

// mark leaves a file in a folder, with the process's number.
func mark(dir, name string) error {
	f, err := os.CreateTemp(dir, ".mark")
	if err != nil {
		return err
	}
	_, err = f.WriteString(strconv.Itoa(os.Getpid()))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name+strings.Replace(filepath.Base(f.Name()), ".mark", "-", 1)))
}

// marks returns the process numbers in the marks of that name.
func (h *harness) marks(t *testing.T, name string) []int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(h.dir, name+"-*"))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(string(data))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

func (h *harness) awaitMarks(t *testing.T, name string, n int) []int {
	t.Helper()
	await(t, fmt.Sprintf("%d marks %q", n, name), func() bool { return len(h.marks(t, name)) >= n })
	return h.marks(t, name)
}

// awaitGone waits until the processes have ended.
func awaitGone(t *testing.T, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		await(t, fmt.Sprintf("the end of process %d", pid), func() bool { return gone(pid) })
	}
}

// gone reports whether a process has ended. One that nobody has collected yet has.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) && hasProc()
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z")
}

func hasProc() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}

// children returns this process's. It knows none where there is no /proc.
func children(t *testing.T) []int {
	files, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			continue // a thread that has ended
		}
		for _, s := range strings.Fields(string(data)) {
			pid, err := strconv.Atoi(s)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

func beWorker() {
	mapper.Main()
	// The race detector makes each process wait for a second before it ends. Workers need not.
	if err := os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
}

func runTests(m *testing.M) int {
	code := m.Run()
	if used.Load() {
		if dir, _ := packed(); dir != "" {
			_ = os.RemoveAll(dir) // the system's folder of temporary files keeps the rest
		}
	}
	if code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// driverVariable makes a test binary a driver that is meant to be killed: backend's URL, bucket's URL, folder for marks.
const driverVariable = "GOWREN_BACKENDTEST_DRIVER"

func beDriver() {
	args := strings.Split(os.Getenv(driverVariable), "\n")
	if len(args) != 3 {
		return
	}
	ex, err := mapper.Open(context.Background(), mapper.Config{Backend: args[0], Storage: args[1]})
	if err == nil {
		_, err = mapper.Map(context.Background(), ex, do, []order{
			{What: "child", Dir: args[2]}, {What: "ignore", Dir: args[2]}, {What: "spin", Dir: args[2]},
		})
	}
	fmt.Fprintln(os.Stderr, "the driver was not killed:", err)
	os.Exit(1)
}

// ints returns 0 to n-1.
func ints(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// wantInts checks results that equal their index, but at the exceptions, where they are zero.
func wantInts(t *testing.T, got []int, n int, zero ...int) {
	t.Helper()
	if len(got) != n {
		t.Fatalf("%d results for %d inputs", len(got), n)
	}
	for i, v := range got {
		want := i
		if slices.Contains(zero, i) {
			want = 0
		}
		if v != want {
			t.Fatalf("result %d is %d, want %d", i, v, want)
		}
	}
}
