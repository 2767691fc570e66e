package mapper_test

import (
	"context"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
)

// sortInput says which records a task draws: N of them, with keys of that kind.
type sortInput struct {
	Kind   string
	N, At  int // At is how many the tasks before it have drawn
	Length int // of a record
}

// records yields them. Each says which it is, so that the order of equal keys shows.
func (in sortInput) records(yield func(key, record string)) {
	r := rand.New(rand.NewPCG(uint64(in.At), 5))
	zipf := rand.NewZipf(r, 1.2, 1, 1<<20)
	for i := in.At; i < in.At+in.N; i++ {
		key := ""
		switch in.Kind {
		case "uniform":
			key = fmt.Sprintf("%016x", r.Uint64())
		case "zipf":
			key = fmt.Sprintf("word %d", zipf.Uint64())
		case "sorted":
			key = fmt.Sprintf("%010d", i)
		case "reversed":
			key = fmt.Sprintf("%010d", 1<<30-i)
		case "one":
			key = "the same"
		case "much":
			if key = "in the middle"; r.IntN(10) >= 6 {
				key = fmt.Sprintf("%c%d", 'a'+r.IntN(26), r.IntN(1000))
			}
		}
		record := fmt.Sprintf("%s %d ", key, i)
		yield(key, record+strings.Repeat("-", max(in.Length-len(record)-1, 0))+"\n")
	}
}

var sortEmit = mapper.Emit("sort-emit", func(_ context.Context, in sortInput, emit func(string, []byte)) error {
	var buf []byte
	in.records(func(key, record string) {
		buf = append(buf[:0], record...)
		emit(key, buf)
	})
	return nil
})

func sortInputs(kind string, tasks, n, length int) []sortInput {
	inputs := make([]sortInput, tasks)
	for i := range inputs {
		inputs[i] = sortInput{kind, n, i * n, length}
	}
	return inputs
}

// sortWant is what a stable sort in memory makes of them.
func sortWant(inputs []sortInput) string {
	var all []mapper.Pair[string, string]
	for _, in := range inputs {
		in.records(func(key, record string) { all = append(all, mapper.Pair[string, string]{Key: key, Value: record}) })
	}
	slices.SortStableFunc(all, func(a, b mapper.Pair[string, string]) int { return strings.Compare(a.Key, b.Key) })
	var b strings.Builder
	for _, p := range all {
		b.WriteString(p.Value)
	}
	return b.String()
}

// TestSort: the parts, one after another, are what a stable sort in memory makes, for all keys, backends, buffers and
// numbers of ranges.
func TestSort(t *testing.T) {
	t.Parallel()
	backends := map[string]*mapper.Executor{"inproc": open(t, "inproc://?workers=3"), "local": open(t, "local://?workers=2&cpus=2")}
	for i, kind := range []string{"uniform", "zipf", "sorted", "reversed", "one", "much"} {
		for name, ex := range backends {
			if name == "local" && kind != "zipf" && kind != "much" {
				continue
			}
			for _, o := range []mapper.Options{{}, {Partitions: 7, Buffer: 150 << 10}, {Partitions: 200}, {Partitions: 2, Buffer: 40 << 10}} {
				inputs := append(sortInputs(kind, 3, 2000+i, 100), sortInput{Kind: kind})
				url, _ := toBucket(t)
				if name == "local" {
					url = "file://" + t.TempDir()
				}
				m, err := mapper.Sort(t.Context(), ex.With(o), sortEmit, inputs, url)
				if err != nil {
					t.Fatal(err)
				}
				sorted(t, fmt.Sprint(kind, " ", name, " ", o.Partitions), m, inputs)
			}
		}
	}
}

// sorted compares a result with a sort in memory.
func sorted(t *testing.T, name string, m mapper.Manifest, inputs []sortInput) {
	t.Helper()
	texts, records := parts(t, m), int64(0)
	for i, text := range texts {
		records += m.Parts[i].Records
		if n := strings.Count(text, "\n"); int64(n) != m.Parts[i].Records {
			t.Errorf("%s: %+v has %d records", name, m.Parts[i], n)
		}
		if sum := crc32.Checksum([]byte(text), crc32.MakeTable(crc32.Castagnoli)); sum != m.Parts[i].Sum {
			t.Errorf("%s: %+v has the checksum %d", name, m.Parts[i], sum)
		}
	}
	n := 0
	for _, in := range inputs {
		n += in.N
	}
	if records != int64(n) {
		t.Errorf("%s: %d records, want %d", name, records, n)
	}
	if got, want := strings.Join(texts, ""), sortWant(inputs); got != want {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		from := max(at-50, 0)
		t.Errorf("%s: %d bytes, want %d; from %d on %.150q, want %.150q", name, len(got), len(want), from, got[from:], want[from:])
	}
}

// TestSortBalance: ranges are of about one size, whatever the keys are like. There are far more samples here than ranges:
// one every 256 KB.
func TestSortBalance(t *testing.T) {
	t.Parallel()
	const tasks, n, length, ranges = 6, 1000, 4000, 4
	ex := open(t, "inproc://?workers=2").With(mapper.Options{Partitions: ranges})
	for _, kind := range []string{"uniform", "zipf", "sorted", "reversed", "much"} {
		inputs := sortInputs(kind, tasks, n, length)
		url, _ := toBucket(t)
		m, err := mapper.Sort(t.Context(), ex, sortEmit, inputs, url)
		if err != nil {
			t.Fatal(err)
		}
		var largest, total int64
		for _, p := range m.Parts {
			largest, total = max(largest, p.Size), total+p.Size
		}
		if total != tasks*n*length || len(m.Parts) != ranges {
			t.Errorf("%s: %d bytes in %d parts", kind, total, len(m.Parts))
		}
		ratio := float64(largest) * ranges / float64(total)
		t.Logf("%s: the largest range is %.2f of the mean", kind, ratio)
		if ratio > 1.3 {
			t.Errorf("%s: the largest range is %.2f of the mean", kind, ratio)
		}
		if kind == "zipf" || kind == "much" { // these runs have many points, at which the others of TestSort are not cut
			sorted(t, kind, m, inputs)
		}
	}
}

// TestSortNumbers: keys need not be text.
func TestSortNumbers(t *testing.T) {
	t.Parallel()
	numbers := []float64{3, math.Inf(1), -1, 0.5, math.NaN(), math.Inf(-1), math.Copysign(0, -1), 0, -1e-300}
	url, _ := toBucket(t)
	m, err := mapper.Sort(t.Context(), open(t, "inproc"), sortNumbers, [][]float64{numbers[:4], numbers[4:]}, url)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(parts(t, m), ""), "NaN -Inf -1 -1e-300 -0 0 0.5 3 +Inf "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

var sortNumbers = mapper.Emit("sort-numbers", func(_ context.Context, numbers []float64, emit func(float64, []byte)) error {
	for _, x := range numbers {
		emit(x, fmt.Append(nil, x, " "))
	}
	return nil
})
