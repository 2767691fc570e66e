package filestore_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gowren/gowren/storage/filestore"
)

var ctx = context.Background()

// process starts this test binary in another role.
func process(t *testing.T, role, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "FILESTORE_TEST_ROLE="+role, "FILESTORE_TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

const raceKeys = 200

// race tries to win every key, and prints those it has won.
func race(b *filestore.Bucket) error {
	fmt.Println("ready")
	if _, err := io.ReadAll(os.Stdin); err != nil { // its end is the starting signal
		return err
	}
	for i := range raceKeys {
		key := fmt.Sprintf("commit/%d/k", i)
		err := b.PutNew(ctx, key, strings.NewReader(fmt.Sprint(os.Getpid())))
		if err == nil {
			fmt.Println(key)
		} else if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// TestPutNewAcrossProcesses has 8 processes commit the same 200 keys.
func TestPutNewAcrossProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var procs []*exec.Cmd
	var starts []io.Closer
	var outs []*bufio.Reader
	for range 8 {
		cmd := process(t, "race", dir)
		in, err1 := cmd.StdinPipe()
		out, err2 := cmd.StdoutPipe()
		if err := errors.Join(err1, err2, cmd.Start()); err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(out)
		if line, err := r.ReadString('\n'); line != "ready\n" {
			t.Fatalf("a process says %q, %v", line, err)
		}
		procs, starts, outs = append(procs, cmd), append(starts, in), append(outs, r)
	}
	for _, in := range starts {
		in.Close()
	}
	winners := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, out := range outs {
		wg.Go(func() {
			won, _ := io.ReadAll(out)
			mu.Lock()
			defer mu.Unlock()
			for key := range strings.FieldsSeq(string(won)) {
				if other := winners[key]; other != 0 {
					t.Errorf("%s was won by %d and %d", key, other, procs[i].Process.Pid)
				}
				winners[key] = procs[i].Process.Pid
			}
		})
	}
	wg.Wait()
	for _, cmd := range procs {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if len(winners) != raceKeys {
		t.Errorf("%d keys were won, want %d", len(winners), raceKeys)
	}
	for key, pid := range winners {
		data, err := os.ReadFile(filepath.Join(dir, key))
		if err != nil || string(data) != fmt.Sprint(pid) {
			t.Errorf("%s holds %q, %v, and was won by %d", key, data, err, pid)
		}
	}
	wantTemporaries(t, dir, 0)
}

// TestKilledWriter kills a process in mid-Put: there is no object, and the next Open clears up.
func TestKilledWriter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := process(t, "hang", dir)
	out, err := cmd.StdoutPipe()
	if err := errors.Join(err, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	for _, want := range []string{"ready\n", "writing\n"} {
		if line, err := r.ReadString('\n'); line != want {
			t.Fatalf("the process says %q, %v, want %q", line, err, want)
		}
	}
	wantTemporaries(t, dir, 1)
	open(t, dir).Close()
	wantTemporaries(t, dir, 1) // its writer lives
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	wantTemporaries(t, dir, 1)

	b := open(t, dir)
	wantTemporaries(t, dir, 0)
	if _, err := b.Stat(ctx, "victim"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the object of a killed writer: %v", err)
	}
	if err := b.Put(ctx, "victim", bytes.NewReader(nil)); err != nil {
		t.Error(err)
	}
	b.Close()
	if _, err := os.Stat(filepath.Join(dir, ".gowren-tmp")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the reserved folder after Close: %v", err)
	}
}

// wantTemporaries counts the files in the reserved folder.
func wantTemporaries(t *testing.T, dir string, want int) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, ".gowren-tmp"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) || len(entries) != want {
		t.Errorf("%d temporary files, %v, want %d", len(entries), err, want)
	}
}
