package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

// mishap is an input of tasks whose first attempt ends badly, after it has emitted what the second does not.
type mishap struct {
	Step string // "map" or "reduce", where it happens
	How  string
	URL  string // of the bucket, in which the first attempt leaves objects beside those of the job
	N    int
}

// happen ends the attempt as the mishap says. It returns nil where the attempt is to go on.
func (m mishap) happen(ctx context.Context, step string) error {
	t, _ := mapper.CurrentTask(ctx)
	if t.Attempt > 1 || m.Step != step {
		return nil
	}
	if err := plant(ctx, m.URL, t.Job); err != nil {
		return err
	}
	switch m.How {
	case "error":
		return mapper.Retryable(errors.New("not today"))
	case "exit":
		os.Exit(3)
	case "time out":
		<-ctx.Done()
		return ctx.Err()
	case "hang":
		time.Sleep(time.Hour) // past its time-out, so that its worker is ended
	}
	return nil
}

// plant leaves objects that look like those of a job where it keeps its own.
func plant(ctx context.Context, url, job string) error {
	b, err := storage.Open(ctx, url)
	if err != nil {
		return err
	}
	defer b.Close()
	for _, name := range []string{"shuffle/m0", "shuffle/m0-AAAAAAAAAAAAAAAA", "shuffle/r00000-AAAAAAAAAAAAAAAA", "out/0"} {
		if err := b.Put(ctx, "jobs/"+job+"/"+name, strings.NewReader("junk")); err != nil {
			return err
		}
	}
	return b.Put(ctx, job+"/part-00000-AAAAAAAA", strings.NewReader("junk"))
}

var mishapEmit = mapper.Emit("mishap-emit", func(ctx context.Context, m mishap, emit func(string, mishap)) error {
	if t, _ := mapper.CurrentTask(ctx); m.Step == "map" && t.Attempt == 1 {
		for i := range 700 { // some of it is in the bucket when the attempt ends
			emit(fmt.Sprint("wrong ", i), m)
		}
	}
	if err := m.happen(ctx, "map"); err != nil {
		return err
	}
	for i := range 300 {
		m.N = i
		emit(fmt.Sprint("key ", i%50), m)
	}
	return nil
})

var mishapReduce = mapper.ReduceByKey("mishap-reduce", func(ctx context.Context, key string, values iter.Seq[mishap]) (string, error) {
	text := key + ":"
	for m := range values {
		if key == "key 7" { // some of the part is written when the attempt ends
			if err := m.happen(ctx, "reduce"); err != nil {
				return "", err
			}
		}
		text += fmt.Sprint(" ", m.N)
	}
	return text + "\n", nil
})

// mishapWant is what comes of n inputs, as sorted lines.
func mishapWant(n int) []string {
	lines := make([]string, 50)
	for i := range lines {
		lines[i] = fmt.Sprint("key ", i, ":")
		for range n {
			for v := i; v < 300; v += 50 {
				lines[i] += fmt.Sprint(" ", v)
			}
		}
		lines[i] += "\n"
	}
	slices.Sort(lines)
	return lines
}

// TestByKeyAttempts: whatever befalls first attempts after they have emitted or written something, the result is that of
// the second ones. Nothing but the result stays, and what lies beside it is not touched.
func TestByKeyAttempts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ backend, step, how string }{
		{"inproc://?workers=2", "no", "mishap"},
		{"inproc://?workers=2", "map", "error"},
		{"inproc://?workers=2", "map", "time out"},
		{"inproc://?workers=2", "reduce", "error"},
		{"local://?workers=2", "map", "exit"},
		{"local://?workers=2", "map", "hang"},
		{"local://?workers=2", "reduce", "error"},
		{"local://?workers=2", "reduce", "exit"},
		{"local://?workers=2", "reduce", "hang"},
	} {
		t.Run(strings.Join([]string{c.backend, c.step, c.how}, " "), func(t *testing.T) {
			t.Parallel()
			ex := open(t, c.backend).With(mapper.Options{Buffer: 10 << 10, Partitions: 3, BatchSize: 1})
			if c.how == "time out" || c.how == "hang" {
				ex = ex.With(mapper.Options{Timeout: 2 * time.Second})
			}
			dir := "file://" + t.TempDir()
			const old = "20200101-000000-AAAAAAAAAA"
			if err := plant(t.Context(), dir, old); err != nil {
				t.Fatal(err)
			}
			in := mishap{Step: c.step, How: c.how, URL: ex.Bucket().URL()}
			inputs := []mishap{in, {}, {}, {}}

			pairs, err := mapper.MapReduceByKey(t.Context(), ex, mishapEmit, mishapReduce, inputs)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, p := range pairs {
				lines = append(lines, p.Value)
			}
			slices.Sort(lines)
			sameLines(t, lines, mishapWant(len(inputs)))

			for i := range inputs { // now the same place has both the job's data and what it makes
				inputs[i].URL = dir
			}
			m, err := mapper.MapReduceByKeyTo(t.Context(), ex, mishapEmit, mishapReduce, inputs, dir)
			if err != nil {
				t.Fatal(err)
			}
			sameLines(t, sortedLines(t, m), mishapWant(len(inputs)))
			stays(t, dir, m, old, c.step != "no")
			if b := ex.Bucket(); c.step != "no" { // what was planted beside the job's own data
				for _, key := range keys(t.Context(), t, b) {
					if !strings.HasPrefix(key, "jobs/") {
						if err := b.Delete(t.Context(), key); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		})
	}
}

func sameLines(t *testing.T, got, want []string) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("line %d is %.200q, want %.200q", i, got[i], want[i])
			return
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
}

// stays checks that the manifest and its parts are there, and beside them only what was not the job's.
func stays(t *testing.T, url string, m mapper.Manifest, old string, happened bool) {
	t.Helper()
	b, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	named := map[string]bool{"manifest.json": true}
	for _, p := range m.Parts {
		named[p.Key] = true
	}
	for _, key := range keys(t.Context(), t, b) {
		planted := strings.HasPrefix(key, "jobs/"+m.Job) && happened // by the task, and no data of this bucket's jobs
		if !named[key] && !strings.Contains(key, old) && !planted {
			t.Errorf("%s stayed", key)
		}
		delete(named, key)
	}
	for key := range named {
		t.Errorf("%s is missing", key)
	}
	if _, err := b.Stat(t.Context(), old+"/part-00000-AAAAAAAA"); err != nil {
		t.Errorf("what lay there before is gone: %v", err)
	}
}

// sortedLines returns the lines of a result, of all parts together.
func sortedLines(t *testing.T, m mapper.Manifest) []string {
	t.Helper()
	lines := strings.SplitAfter(strings.Join(parts(t, m), ""), "\n")
	slices.Sort(lines)
	return lines[1:] // what is after the last end
}

// parts returns what the parts hold, as the manifest that is stored tells.
func parts(t *testing.T, m mapper.Manifest) []string {
	t.Helper()
	if read, err := mapper.ReadManifest(t.Context(), m.URL); err != nil || !slices.Equal(read.Parts, m.Parts) || read.Job != m.Job || read.URL != m.URL {
		t.Fatalf("the manifest that is stored is %+v, %v; want %+v", read, err, m)
	}
	b, err := storage.Open(t.Context(), m.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var texts []string
	for _, p := range m.Parts {
		text := read(t, b, p.Key)
		if int64(len(text)) != p.Size {
			t.Errorf("%s has %d bytes, the manifest says %d", p.Key, len(text), p.Size)
		}
		texts = append(texts, text)
	}
	return texts
}
