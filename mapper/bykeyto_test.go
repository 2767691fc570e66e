package mapper_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

var (
	toCalls atomic.Int64
	toEmit  = mapper.Emit("to-emit", func(_ context.Context, words []string, emit func(string, int)) error {
		toCalls.Add(1)
		for i, w := range words {
			emit(w, i)
		}
		return nil
	})
	toStruct = mapper.ReduceByKey("to-struct", func(_ context.Context, word string, numbers iter.Seq[int]) (entry, error) {
		return entry{N: len(word), Name: word, Tags: []string{fmt.Sprint(slices.Collect(numbers))}}, nil
	})
	toNumber = mapper.ReduceByKey("to-number", func(_ context.Context, word string, numbers iter.Seq[int]) (float64, error) {
		if word == "NaN" {
			return math.NaN(), nil
		}
		return float64(len(slices.Collect(numbers))), nil
	})
	toText = mapper.ReduceByKey("to-text", func(_ context.Context, word string, _ iter.Seq[int]) (string, error) {
		return word + ";", nil
	})
	toBytes = mapper.ReduceByKey("to-bytes", func(_ context.Context, word string, _ iter.Seq[int]) ([]byte, error) {
		return []byte(word + ";"), nil
	})
	toEcho = mapper.ReduceByKey("to-echo", func(_ context.Context, word string, _ iter.Seq[int]) ([]string, error) {
		return []string{strings.TrimPrefix(word, "value ")}, nil
	})
)

var toInputs = [][]string{{"b", "", "a", "b", "ä\"<\\ufffd"}, {}, {"c\n", "b", "\uFFFD", "\x00"}}

// toBucket returns the URL of a bucket in memory, and the bucket.
func toBucket(t *testing.T) (string, storage.Bucket) {
	b := memstore.New()
	t.Cleanup(func() { memstore.Delete(b.Name()) })
	return b.URL(), b
}

// TestByKeyTo: what is written is what MapReduceByKey returns, in the order of the keys in each part.
func TestByKeyTo(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"inproc", "local://?workers=2"} {
		for _, partitions := range []int{1, 3} {
			ex := open(t, backend).With(mapper.Options{Partitions: partitions})
			want, err := mapper.MapReduceByKey(t.Context(), ex, toEmit, toStruct, toInputs)
			if err != nil {
				t.Fatal(err)
			}
			m, err := mapper.MapReduceByKeyTo(t.Context(), ex, toEmit, toStruct, toInputs, "file://"+t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if len(m.Parts) > partitions || len(m.Parts) == 0 {
				t.Errorf("%d parts", len(m.Parts))
			}
			var got []mapper.Pair[string, entry]
			for i, text := range parts(t, m) {
				last, n := "", 0
				for line := range strings.Lines(text) {
					var p mapper.Pair[string, entry]
					if err := json.Unmarshal([]byte(line), &p); err != nil {
						t.Fatal(err)
					}
					if n > 0 && p.Key <= last {
						t.Errorf("%q follows %q", p.Key, last)
					}
					last, got, n = p.Key, append(got, p), n+1
				}
				if int64(n) != m.Parts[i].Records {
					t.Errorf("%+v has %d lines", m.Parts[i], n)
				}
			}
			slices.SortFunc(got, func(a, b mapper.Pair[string, entry]) int { return strings.Compare(a.Key, b.Key) })
			samePairs(t, got, want)
			read := 0
			for _, s := range m.Splits(20) {
				for line, err := range storage.Lines(t.Context(), s) {
					if err != nil || !json.Valid(line) {
						t.Errorf("%q, %v", line, err)
					}
					read++
				}
			}
			if read != len(want) {
				t.Errorf("splits of the manifest have %d lines, want %d", read, len(want))
			}
		}
	}
}

// TestByKeyToRaw: bytes and strings are written as they are.
func TestByKeyToRaw(t *testing.T) {
	t.Parallel()
	ex := open(t, "inproc").With(mapper.Options{Partitions: 1})
	inputs := [][]string{{"b", "\xff", "a"}, {"b", ""}}
	url, _ := toBucket(t)
	m, err := mapper.MapReduceByKeyTo(t.Context(), ex, toEmit, toText, inputs, url)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := toBucket(t)
	n, err := mapper.MapReduceByKeyTo(t.Context(), ex, toEmit, toBytes, inputs, other)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{";a;b;\xff;"}
	if got, too := parts(t, m), parts(t, n); !slices.Equal(got, want) || !slices.Equal(too, want) {
		t.Errorf("%q and %q, want %q", got, too, want)
	}
	if m.Parts[0].Records != 4 || m.Parts[0].Sum != n.Parts[0].Sum || m.Parts[0].Key == n.Parts[0].Key {
		t.Errorf("%+v and %+v", m, n)
	}
}

// TestByKeyToNothing: a job that emits nothing has a result all the same, which has no parts.
func TestByKeyToNothing(t *testing.T) {
	t.Parallel()
	ex := open(t, "inproc")
	for _, inputs := range [][][]string{nil, {nil, nil}} {
		url, _ := toBucket(t)
		m, err := mapper.MapReduceByKeyTo(t.Context(), ex, toEmit, toText, inputs, url)
		if err != nil || len(m.Parts) > 0 || len(parts(t, m)) > 0 || len(m.Splits(0)) > 0 {
			t.Errorf("%+v, %v", m, err)
		}
	}
	url, _ := toBucket(t)
	if _, err := mapper.ReadManifest(t.Context(), url); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("where no job was: %v", err)
	}
}

// TestByKeyToOnce: where a job has finished, another runs nothing and changes nothing. It does not run beside other tests,
// which call the function that it counts.
func TestByKeyToOnce(t *testing.T) {
	ex := open(t, "inproc")
	url, b := toBucket(t)
	m, err := mapper.MapReduceByKeyTo(t.Context(), ex, toEmit, toText, toInputs, url)
	if err != nil {
		t.Fatal(err)
	}
	before, calls := keys(t.Context(), t, b), toCalls.Load()
	again, err := mapper.MapReduceByKeyTo(t.Context(), ex, toEmit, toText, toInputs, url)
	if !errors.Is(err, fs.ErrExist) || again.Job != "" || toCalls.Load() != calls {
		t.Errorf("%v; %+v, %d calls", err, again, toCalls.Load()-calls)
	}
	mentions(t, err, "mapper: to-emit: ", url, "manifest.json")
	if after := keys(t.Context(), t, b); !slices.Equal(before, after) {
		t.Errorf("%q have become %q", before, after)
	}
	parts(t, m)
}

// TestByKeyToRace: of several jobs for one place exactly one has it, and all others leave nothing there.
func TestByKeyToRace(t *testing.T) {
	t.Parallel()
	ex := open(t, "inproc://?workers=4")
	url, b := toBucket(t)
	var won, lost atomic.Int64
	var manifest atomic.Pointer[mapper.Manifest]
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			m, err := mapper.MapReduceByKeyTo(t.Context(), ex, toEmit, toText, toInputs, url)
			switch {
			case err == nil:
				won.Add(1)
				manifest.Store(&m)
			case errors.Is(err, fs.ErrExist):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || lost.Load() != 5 {
		t.Fatalf("%d jobs have won, %d have lost", won.Load(), lost.Load())
	}
	m := manifest.Load()
	parts(t, *m)
	if n := len(keys(t.Context(), t, b)); n != len(m.Parts)+1 {
		t.Errorf("%d objects, with %d parts", n, len(m.Parts))
	}
}

// TestByKeyToRefuses: what cannot be written as it is asked is an error that names the key, and a job that fails leaves
// nothing.
func TestByKeyToRefuses(t *testing.T) {
	t.Parallel()
	ex := open(t, "inproc://?workers=1").With(mapper.Options{Partitions: 5})
	for _, c := range []struct {
		name  string
		run   func(url string, inputs [][]string) error
		bad   string
		words []string
	}{
		{"key that is no UTF-8", runTo(t, ex, toNumber), "k\xff", []string{"to-number", `"k\xff"`, "UTF-8"}},
		{"value that is no UTF-8", runTo(t, ex, toEcho), "value \xff", []string{"to-echo", `"value \xff"`, "UTF-8"}},
		{"NaN", runTo(t, ex, toNumber), "NaN", []string{"to-number", "key NaN", "JSON"}},
	} {
		url, b := toBucket(t)
		inputs := append(slices.Clone(toInputs), []string{c.bad})
		mentions(t, c.run(url, inputs), c.words...)
		if left := keys(t.Context(), t, b); len(left) > 0 {
			t.Errorf("%s: %q stay", c.name, left)
		}
		if err := c.run(url, toInputs); err != nil {
			t.Errorf("%s: the same place afterwards: %v", c.name, err)
		}
	}
}

func runTo[Out any](t *testing.T, ex *mapper.Executor, r mapper.Reducer[string, int, Out]) func(string, [][]string) error {
	return func(url string, inputs [][]string) error {
		_, err := mapper.MapReduceByKeyTo(t.Context(), ex, toEmit, r, inputs, url)
		return err
	}
}

// TestByKeyToUnreachable: a place that workers cannot reach is refused with the reason, before anything runs.
func TestByKeyToUnreachable(t *testing.T) {
	t.Parallel()
	ex := open(t, "local://?workers=1")
	for url, words := range map[string][]string{
		"mem://elsewhere": {"mapper: to-emit: ", "mem://elsewhere", "lives in this process"},
		"ftp://host/x":    {"mapper: to-emit: ", "ftp"},
		"":                {"mapper: to-emit: "},
	} {
		_, err := mapper.MapReduceByKeyTo(t.Context(), ex, toEmit, toText, toInputs, url)
		mentions(t, err, words...)
	}
	_, err := mapper.Sort(t.Context(), ex, sortEmit, []sortInput{{}}, "")
	mentions(t, err, "mapper: sort-emit: ")
}
