package shuffle

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// pair is a record.
type pair struct{ key, value string }

// bucket returns an empty bucket, and what opens it.
func bucket(t testing.TB) (storage.Bucket, func(context.Context) (storage.Bucket, error)) {
	b := memstore.New()
	t.Cleanup(func() { memstore.Delete(b.Name()) })
	return b, func(context.Context) (storage.Bucket, error) { return b, nil }
}

// emit writes the records of each task under the plan.
func emit(t testing.TB, p Plan, open func(context.Context) (storage.Bucket, error), tasks [][]pair) []Output {
	t.Helper()
	outputs := make([]Output, len(tasks))
	for i, records := range tasks {
		w := NewWriter(t.Context(), p, fmt.Sprint(i), open, nil)
		for _, r := range records {
			if err := w.Add([]byte(r.key), []byte(r.value)); err != nil {
				t.Fatal(err)
			}
			if w.Full(0) {
				if err := w.Spill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		var err error
		if outputs[i], err = w.Finish(); err != nil {
			t.Fatal(err)
		}
		w.Abort(nil)
	}
	return outputs
}

// merged reads a task's records.
func merged(t testing.TB, task *Task, open func(context.Context) (storage.Bucket, error), folder string) []pair {
	t.Helper()
	m, err := NewMerge(t.Context(), task, open, folder, "more")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var got []pair
	for m.Next() {
		got = append(got, pair{string(m.Key()), string(m.Value())})
	}
	if m.Err() != nil {
		t.Fatal(m.Err())
	}
	return got
}

// texts draws keys that are easily got wrong: short, long, with zeros, with a common beginning, frequent.
func texts(r *rand.Rand) func() string {
	frequent := strings.Repeat("frequent", r.IntN(4))
	spread := 1 + r.IntN(1000)
	return func() string {
		switch r.IntN(8) {
		case 0:
			return frequent
		case 1:
			return strings.Repeat("\x00", r.IntN(12))
		case 2:
			return "a" + strings.Repeat("\x00", r.IntN(12)) + string(rune('a'+r.IntN(3)))
		case 3:
			return "https://example.com/a/long/beginning/" + fmt.Sprint(r.IntN(spread))
		case 4:
			return strings.Repeat("x", 8*r.IntN(4)) + fmt.Sprint(r.IntN(spread))
		default:
			return fmt.Sprint(r.IntN(spread))
		}
	}
}

// TestShuffle compares with a stable sort in memory, for any number of tasks, partitions and any size of the buffer.
func TestShuffle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			key := texts(r)
			tasks := make([][]pair, r.IntN(7))
			var all []pair
			for i := range tasks {
				for range r.IntN(3000) {
					p := pair{key(), fmt.Sprint(len(all), strings.Repeat("v", r.IntN(100)))}
					tasks[i], all = append(tasks[i], p), append(all, p)
				}
			}
			slices.SortStableFunc(all, func(a, b pair) int { return strings.Compare(a.key, b.key) })
			plan := Plan{
				Folder: "jobs/x/shuffle", Parts: r.IntN(6), Buffer: 1 << (10 + r.IntN(12)), Inline: r.IntN(2) * (1 << r.IntN(20)),
				Compress: r.IntN(2) == 0,
			}
			_, open := bucket(t)
			outputs := emit(t, plan, open, tasks)
			var work []Task
			if plan.Parts == 0 {
				work = Cut(outputs, 1+r.IntN(8))
			} else {
				work = Parts(outputs, plan.Parts)
			}
			var got []pair
			for i := range work {
				got = append(got, merged(t, &work[i], open, plan.Folder)...)
			}
			if plan.Parts > 0 { // each partition is in order, and no key is in two
				slices.SortStableFunc(got, func(a, b pair) int { return strings.Compare(a.key, b.key) })
			}
			if !slices.Equal(got, all) {
				t.Fatalf("%+v: %d records, want %d; the first that differs: %v", plan, len(got), len(all), differ(got, all))
			}
		})
	}
}

func differ(a, b []pair) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("%d: %.80q, want %.80q", i, a[i], b[i])
		}
	}
	return "the number"
}

// TestGroups: each key once, with its values in order, however many of them are asked for.
func TestGroups(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		key := texts(r)
		want := map[string][]string{}
		tasks := make([][]pair, 1+r.IntN(4))
		for i := range tasks {
			for n := range r.IntN(500) {
				p := pair{key(), fmt.Sprint(i, n)}
				tasks[i], want[p.key] = append(tasks[i], p), append(want[p.key], p.value)
			}
		}
		plan := Plan{Folder: "f", Parts: 1, Buffer: 20_000, Inline: 1000}
		_, open := bucket(t)
		work := Parts(emit(t, plan, open, tasks), 1)
		m, err := NewMerge(t.Context(), &work[0], open, "f", "more")
		if err != nil {
			t.Fatal(err)
		}
		last, keys := []byte(nil), 0
		for m.NextKey() {
			if keys > 0 && bytes.Compare(last, m.key) >= 0 {
				t.Fatalf("key %q after %q", m.key, last)
			}
			last = slices.Clone(m.key)
			keys++
			values := want[string(last)]
			ask := r.IntN(len(values) + 2)
			for i := range ask {
				if ok := m.NextValue(); ok != (i < len(values)) {
					t.Fatalf("key %q has a value %d: %v, want %d values", last, i, ok, len(values))
				} else if ok && string(m.Value()) != values[i] {
					t.Fatalf("value %d of key %q: %q, want %q", i, last, m.Value(), values[i])
				}
			}
		}
		if m.Err() != nil || keys != len(want) || m.NextKey() || m.NextValue() {
			t.Fatalf("%d keys, want %d: %v", keys, len(want), m.Err())
		}
		m.Close()
	}
}

// TestFind: the numbers of keys, in a table that grows.
func TestFind(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 3))
	key := texts(r)
	b := NewBuffer(5)
	numbers := map[string]uint32{}
	for range 50_000 {
		k := key()
		got, added, err := b.Find([]byte(k))
		want, known := numbers[k]
		if err != nil || added == known || known && got != want || !known && int(got) != len(numbers) {
			t.Fatalf("%q: %d, %v, %v; want %d, known %v", k, got, added, err, want, known)
		}
		numbers[k] = got
	}
	var run bytes.Buffer
	w := newRunWriter(&run, 0, 5, false)
	if err := b.write(w, func(n uint32) ([]byte, error) { return fmt.Append(nil, n), nil }); err != nil {
		t.Fatal(err)
	}
	out, err := w.finish()
	if err != nil {
		t.Fatal(err)
	}
	work := Parts([]Output{{Data: run.Bytes(), Runs: []Run{out}}}, 5)
	n := 0
	for i := range work {
		for _, p := range merged(t, &work[i], nil, "") {
			if fmt.Sprint(numbers[p.key]) != p.value {
				t.Errorf("%q has %q, want %d", p.key, p.value, numbers[p.key])
			}
			n++
		}
	}
	if n != len(numbers) {
		t.Errorf("%d keys, want %d", n, len(numbers))
	}
}

// TestNarrow: more segments than are merged at once.
func TestNarrow(t *testing.T) {
	t.Parallel()
	tasks := make([][]pair, 2*fanIn+3)
	var all []pair
	for i := range tasks {
		for n := range 5 {
			p := pair{fmt.Sprint((i * n) % 37), fmt.Sprint(i, n)}
			tasks[i], all = append(tasks[i], p), append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b pair) int { return strings.Compare(a.key, b.key) })
	_, open := bucket(t)
	for _, parts := range []int{0, 1} {
		outputs := emit(t, Plan{Folder: "f", Parts: parts, Buffer: 1 << 20, Inline: 60}, open, tasks)
		work := Cut(outputs, 3)
		if parts == 1 {
			work = Parts(outputs, 1)
		}
		var got []pair
		for i := range work {
			got = append(got, merged(t, &work[i], open, "f")...)
		}
		if !slices.Equal(got, all) {
			t.Errorf("%d parts: %s", parts, differ(got, all))
		}
	}
}

// TestTies: long keys that begin alike are sorted in a time that is not the square of their length.
func TestTies(t *testing.T) {
	t.Parallel()
	const n = 200
	long := strings.Repeat("k", 160<<10)
	b := NewBuffer(1)
	for i := range n {
		if err := b.Add(fmt.Appendf(nil, "%s%03d", long, (i+1)%n), nil); err != nil {
			t.Fatal(err)
		}
	}
	b.sort()
	for i := range b.entries {
		if key := b.key(b.entries[i].at); string(key[len(long):]) != fmt.Sprintf("%03d", i) {
			t.Fatalf("key %d ends in %q", i, key[len(long):])
		}
	}
}

// TestPointBytes: the samples of a run are few where its keys are long.
func TestPointBytes(t *testing.T) {
	t.Parallel()
	var tasks [][]pair
	for i := range 2 {
		var records []pair
		for n := range 300 {
			records = append(records, pair{fmt.Sprintf("%04d%s", 2*n+i, strings.Repeat("k", 30_000)), "v"})
		}
		tasks = append(tasks, records)
	}
	_, open := bucket(t)
	outputs := emit(t, Plan{Folder: "f", Buffer: 64 << 20}, open, tasks)
	size := 0
	for _, p := range outputs[0].Runs[0].Points {
		size += len(p.Key)
	}
	if n := len(outputs[0].Runs[0].Points); n < 2 || size > 2*maxPointBytes {
		t.Errorf("%d points with keys of %d bytes", n, size)
	}
	work := Cut(outputs, 3)
	n := 0
	for i := range work {
		n += len(merged(t, &work[i], open, "f"))
	}
	if len(work) != 3 || n != 600 {
		t.Errorf("%d ranges with %d records", len(work), n)
	}
}
