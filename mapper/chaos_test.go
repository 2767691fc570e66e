package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/journal"
	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/serialize"
	"github.com/gowren/gowren/storage"
)

const chaosTasks = 300

// chaosTask leaves a file for each time that it ran to its end. Some of its workers die.
var chaosTask = mapper.Func("chaos-task", func(_ context.Context, n int) (int, error) {
	if rand.N(10) == 0 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			return 0, err
		}
	}
	time.Sleep(rand.N(10 * time.Millisecond))
	f, err := os.CreateTemp(os.Getenv("CHAOS_MARKS"), strconv.Itoa(n)+"-")
	if err != nil {
		return 0, err
	}
	return 3 * n, f.Close()
})

func init() { programs["chaos"] = chaosDriver }

// chaosDriver is a program that is killed, and run again.
func chaosDriver() {
	mapper.Main()
	err := func() (err error) {
		ctx := context.Background()
		ex, err := mapper.Open(ctx, mapper.Config{Options: mapper.Options{Resume: "chaos", Retries: 100, BatchSize: 5, Speculation: -1, Quiet: true}})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, ex.Close()) }()
		got, err := mapper.Map(ctx, ex, chaosTask, ints(chaosTasks))
		if err != nil {
			return err
		}
		return os.WriteFile(os.Getenv("CHAOS_OUTPUT"), fmt.Append(nil, got), 0o600)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestChaos kills a driver whose workers die, too, at random times, and runs it again until it ends. The result is that of
// an undisturbed run, and no task runs again whose result was kept.
func TestChaos(t *testing.T) {
	t.Parallel()
	kills := 5
	if n, err := strconv.Atoi(os.Getenv("GOWREN_CHAOS")); err == nil {
		kills = n
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	killed := 0
	for killed < kills {
		n, err := chaosRun(t, r, kills-killed)
		if err != nil {
			t.Fatal(err)
		}
		killed += n
	}
	t.Logf("the driver was killed %d times", killed)
}

// chaosRun has a job killed so many times at most, and returns how often it was.
func chaosRun(t *testing.T, r *rand.Rand, most int) (kills int, err error) {
	dir := t.TempDir()
	bucket, marks, out := filepath.Join(dir, "bucket"), filepath.Join(dir, "marks"), filepath.Join(dir, "output")
	if err := os.Mkdir(marks, 0o700); err != nil {
		return 0, err
	}
	path, err := os.Executable()
	if err != nil {
		return 0, err
	}
	kept := map[int]int{} // by task, how often it had run when its result was found to be kept
	for {
		var said strings.Builder
		cmd := exec.CommandContext(t.Context(), path)
		cmd.Stderr = &said
		cmd.Env = append(os.Environ(), programVariable+"=chaos", "GOWREN_BACKEND=local://?workers=4", "GOWREN_STORAGE=file://"+bucket,
			"CHAOS_MARKS="+marks, "CHAOS_OUTPUT="+out)
		if err := cmd.Start(); err != nil {
			return kills, err
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		var alarm <-chan time.Time
		if kills < most {
			alarm = time.After(time.Duration(r.Int64N(int64(1500 * time.Millisecond))))
		}
		select {
		case err = <-ended:
		case <-alarm:
			if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return kills, err
			}
			if err = <-ended; err != nil {
				kills++
				if err := chaosLook(t, bucket, marks, kept); err != nil {
					return kills, err
				}
				continue
			}
		}
		if err != nil {
			return kills, fmt.Errorf("%w: %s", err, said.String())
		}
		break
	}
	got, err := os.ReadFile(out)
	if err != nil {
		return kills, err
	}
	want := ints(chaosTasks)
	for i := range want {
		want[i] *= 3
	}
	if string(got) != fmt.Sprint(want) {
		t.Errorf("the output is %.300s", got)
	}
	return kills, chaosLook(t, bucket, marks, kept)
}

// chaosLook finds out which results are kept by now, and checks that no task has run whose result was kept before.
func chaosLook(t *testing.T, bucket, marks string, kept map[int]int) error {
	var runs [chaosTasks]int
	files, err := os.ReadDir(marks)
	if err != nil {
		return err
	}
	for _, f := range files {
		name, _, _ := strings.Cut(f.Name(), "-")
		n, err := strconv.Atoi(name)
		if err != nil {
			return err
		}
		runs[n]++
	}
	for n, before := range kept {
		if runs[n] > before {
			t.Errorf("task %d ran again though its result was kept", n)
		}
	}
	b, err := storage.Open(t.Context(), "file://"+bucket)
	if err != nil {
		return err
	}
	j, err := journal.Open(t.Context(), b, "chaos", journal.Run{})
	if err != nil {
		return err
	}
	types := registry.Find("chaos-task").Types
	for n := range chaosTasks {
		data, err := serialize.Marshal(n)
		if err != nil {
			return err
		}
		_, there, err := j.Recall(journal.Identity("chaos-task", types, "", data, 0))
		switch _, before := kept[n]; {
		case err != nil:
			return err
		case before && !there:
			t.Errorf("the result of task %d is lost", n)
		case there && !before:
			kept[n] = runs[n]
		}
	}
	return errors.Join(j.Close(), b.Close())
}
