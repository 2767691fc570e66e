package mapper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

const (
	chaosTasks = 300
	chaosLarge = 17 // whose result travels through the bucket
	chaosSize  = 1_500_000
	chaosKeys  = 20
)

// chaosWork leaves a file for each time that it ran to its end. Some of its workers die.
func chaosWork(kind string, n int) error {
	if rand.N(10) == 0 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			return err
		}
	}
	time.Sleep(rand.N(10 * time.Millisecond))
	f, err := os.CreateTemp(os.Getenv("CHAOS_MARKS"), fmt.Sprint(kind, "-", n, "-"))
	if err != nil {
		return err
	}
	return f.Close()
}

var (
	chaosTask = mapper.Func("chaos-task", func(_ context.Context, n int) (string, error) {
		return chaosResult(n), chaosWork("task", n)
	})
	chaosEmit = mapper.Emit("chaos-emit", func(_ context.Context, n int, emit func(int, int)) error {
		for k := range chaosKeys {
			emit(k, k*n)
		}
		return chaosWork("emit", n)
	})
	chaosSum = mapper.ReduceByKey("chaos-sum", func(_ context.Context, _ int, values iter.Seq[int]) (int, error) {
		sum := 0
		for v := range values {
			sum += v
		}
		return sum, chaosWork("sum", 0)
	})
)

func chaosResult(n int) string {
	if n == chaosLarge {
		return strings.Repeat("large", chaosSize/5)
	}
	return strconv.Itoa(3 * n)
}

// chaosOutput is what an undisturbed run writes.
func chaosOutput(results []string, sums []mapper.Pair[int, int]) []byte {
	return fmt.Append(nil, strings.Join(results, " "), sums)
}

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
		results, err := mapper.Map(ctx, ex, chaosTask, ints(chaosTasks))
		if err != nil {
			return err
		}
		manifest, err := mapper.MapReduceByKeyTo(ctx, ex, chaosEmit, chaosSum, ints(chaosKeys), os.Getenv("CHAOS_PLACE"))
		if err != nil {
			return err
		}
		var sums []mapper.Pair[int, int]
		for _, s := range manifest.Splits(0) {
			for pair, err := range storage.JSONLines[mapper.Pair[int, int]](ctx, s) {
				if err != nil {
					return err
				}
				sums = append(sums, pair)
			}
		}
		slices.SortFunc(sums, func(a, b mapper.Pair[int, int]) int { return a.Key - b.Key })
		return os.WriteFile(os.Getenv("CHAOS_OUTPUT"), chaosOutput(results, sums), 0o600)
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
	killed, before := 0, 0
	for killed < kills || before == 0 && killed < kills+20 { // all may have come before the first result
		n, kept, err := chaosRun(t, r, max(1, kills-killed))
		if err != nil {
			t.Fatal(err)
		}
		killed, before = killed+n, before+kept
	}
	t.Logf("the driver was killed %d times", killed)
	if before == 0 {
		t.Error("no run that was killed had kept a result")
	}
}

// chaosRun has a job killed so many times at most, and returns how often it was, and how many results were kept by then.
func chaosRun(t *testing.T, r *rand.Rand, most int) (kills, before int, err error) {
	dir := t.TempDir()
	bucket, marks, out := filepath.Join(dir, "bucket"), filepath.Join(dir, "marks"), filepath.Join(dir, "output")
	if err := os.Mkdir(marks, 0o700); err != nil {
		return 0, 0, err
	}
	path, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	kept := map[int]int{} // how often a task had run when its result was found to be kept
	for {
		var said strings.Builder
		cmd := exec.CommandContext(t.Context(), path)
		cmd.Stderr = &said
		cmd.Env = append(os.Environ(), programVariable+"=chaos", "GOWREN_BACKEND=local://?workers=4", "GOWREN_STORAGE=file://"+bucket,
			"CHAOS_MARKS="+marks, "CHAOS_OUTPUT="+out, "CHAOS_PLACE=file://"+filepath.Join(dir, "place"))
		if err := cmd.Start(); err != nil {
			return kills, 0, err
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
				return kills, 0, err
			}
			if err = <-ended; err != nil {
				kills++
				if err := chaosLook(t, bucket, marks, kept); err != nil {
					return kills, 0, err
				}
				continue
			}
		}
		if err != nil {
			return kills, 0, fmt.Errorf("%w: %s", err, said.String())
		}
		break
	}
	got, err := os.ReadFile(out)
	if err != nil {
		return kills, 0, err
	}
	var results []string
	for n := range chaosTasks {
		results = append(results, chaosResult(n))
	}
	var sums []mapper.Pair[int, int]
	for k := range chaosKeys {
		sums = append(sums, mapper.Pair[int, int]{Key: k, Value: k * chaosKeys * (chaosKeys - 1) / 2})
	}
	if want := chaosOutput(results, sums); !bytes.Equal(got, want) {
		t.Errorf("the output has %d bytes, want %d, and ends with %q", len(got), len(want), got[max(0, len(got)-300):])
	}
	before = len(kept)
	if err := chaosLook(t, bucket, marks, kept); err != nil {
		return kills, before, err
	}
	t.Logf("%d kills; %d results were kept before the last run, %d at its end", kills, before, len(kept))
	if len(kept) != chaosTasks {
		t.Errorf("%d results are kept at the end, want %d", len(kept), chaosTasks)
	}
	return kills, before, nil
}

// chaosLook finds out which results are kept by now, and checks that no task has run whose result was kept before.
func chaosLook(t *testing.T, bucket, marks string, kept map[int]int) error {
	var runs [chaosTasks]int
	files, err := os.ReadDir(marks)
	if err != nil {
		return err
	}
	for _, f := range files {
		name, isTask := strings.CutPrefix(f.Name(), "task-")
		if !isTask {
			continue
		}
		name, _, _ = strings.Cut(name, "-")
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
