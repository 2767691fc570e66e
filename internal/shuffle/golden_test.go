package shuffle

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowren/gowren/serialize"
)

var update = flag.Bool("update", false, "write the golden files")

// written is a run of some records, and what tells of it.
func written(t testing.TB, parts int, compress bool) (data []byte, run Run) {
	t.Helper()
	b := NewBuffer(max(parts, 1))
	for i := range 40 {
		key := fmt.Appendf(nil, "a key of number %d", i%7)
		if err := b.Add(key, []byte(strings.Repeat("value ", i%5))); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Add(nil, []byte("of the empty key")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := newRunWriter(&out, 0, parts, compress)
	if err := b.write(w, nil); err != nil {
		t.Fatal(err)
	}
	run, err := w.finish()
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), run
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name string, data []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	got := hex.Dump(data)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("%s has changed:\n%s\nwant:\n%s", name, got, want)
	}
}

// TestGolden holds the format, the hash that parts keys, and what tells of runs: map and reduce tasks may run in workers of
// different builds.
func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name     string
		parts    int
		compress bool
	}{{"parts", 3, false}, {"sorting", 0, false}, {"one", 1, false}} {
		data, run := written(t, c.parts, c.compress)
		golden(t, c.name, data)
		told, err := serialize.Marshal(&Output{Name: "m0-A", Runs: []Run{run}})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, c.name+"_output", told)
	}
	var keys bytes.Buffer
	for _, k := range []int{0, 1, -1, 255, 256, -256, -257, 1<<63 - 1, -1 << 63} {
		keys.Write(NewKeys[int]().Bytes(nil, k))
	}
	for _, k := range []float64{0, 1, -1, 0.1} {
		keys.Write(NewKeys[float64]().Bytes(nil, k))
	}
	golden(t, "keys", keys.Bytes())
	task, err := serialize.Marshal(&Task{Segments: []Segment{{Name: "m0-A", Off: 300, Size: 7, After: true}, {Data: []byte("x"), Size: 1, Through: true}}, From: []byte("a"), To: []byte("b")})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "task", task)
}

// TestGoldenPacked: blocks that were compressed by an earlier build are read. How well a build compresses is its own
// affair, so that what it writes is not compared.
func TestGoldenPacked(t *testing.T) {
	data, run := written(t, 1, true)
	path := filepath.Join("testdata", "packed.bin")
	if *update {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	plain, plainRun := written(t, 1, false)
	if len(old) >= len(plain)/2 {
		t.Errorf("%d bytes, of %d: they are not compressed", len(old), len(plain))
	}
	want := fmt.Sprint(merged(t, &Task{Segments: []Segment{{Data: plain, Size: plainRun.Parts[0]}}}, nil, ""))
	for _, b := range [][]byte{old, data} {
		if got := fmt.Sprint(merged(t, &Task{Segments: []Segment{{Data: b, Size: run.Parts[0]}}}, nil, "")); got != want {
			t.Errorf("%.200s, want %.200s", got, want)
		}
	}
}
