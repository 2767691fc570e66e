package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/examples/internal/programtest"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/storage"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

// TestProgram generates, sorts and checks.
func TestProgram(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{},
		{"-gen", "1", "-check"},
		{"-gen", "30000", "-check", "-split", "70001", "-buffer", "50000"},
	} {
		stdout, stderr, status := programtest.Run(t, args...)
		want := regexp.MustCompile(`^generated (\d+) records in .*\nsorted (\d+) records in .*\nchecked (\d+) records in .*\n$`)
		found := want.FindStringSubmatch(stdout)
		if status != 0 || found == nil || found[1] != found[2] || found[1] != found[3] {
			t.Errorf("%q: exit status %d, %q, %s", args, status, stdout, stderr)
		}
	}
}

// lines are records as lines, in no order.
func lines(n int) []byte {
	var all []byte
	for i := range n {
		key := make([]byte, keySize)
		for k := range key {
			key[k] = 'a' + byte((i+1)*(k*k+7919)%26)
		}
		key[9] = '0' + byte(i%10)
		copy(key[5:9], []byte{'0' + byte(i/1000%10), '0' + byte(i/100%10), '0' + byte(i/10%10), '0' + byte(i*7%10)})
		all = append(append(all, key...), strings.Repeat("x", recordSize-keySize-1)+"\n"...)
	}
	return all
}

// TestFiles compares the objects named by the manifest with a sort in memory, and with the program sort where there is one.
func TestFiles(t *testing.T) {
	t.Parallel()
	in, out := filepath.Join(t.TempDir(), "in"), filepath.Join(t.TempDir(), "out")
	data := lines(5000)
	if err := os.WriteFile(in, data, 0o600); err != nil {
		t.Fatal(err)
	}
	drawn := filepath.Join(t.TempDir(), "timeline.svg")
	stdout, stderr, status := programtest.Run(t, "-split", "100000", "-check", "-to", out, "-timeline", drawn, in)
	if status != 0 || !strings.Contains(stdout, "checked 5000 records") {
		t.Fatalf("exit status %d, %q, %s", status, stdout, stderr)
	}
	if svg, err := os.ReadFile(drawn); err != nil || !bytes.Contains(svg, []byte("records, task 0: done")) {
		t.Errorf("the timeline: %v, %.200q", err, svg)
	}
	manifest, err := mapper.ReadManifest(t.Context(), locate(out))
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	for _, p := range manifest.Parts {
		part, err := os.ReadFile(filepath.Join(out, p.Key))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, part...)
	}
	want := slices.Collect(slices.Chunk(data, recordSize))
	slices.SortStableFunc(want, func(a, b []byte) int { return bytes.Compare(a[:keySize], b[:keySize]) })
	if !bytes.Equal(got, slices.Concat(want...)) {
		t.Fatal("the result is not what a sort in memory makes")
	}
	path, err := exec.LookPath("sort")
	if err != nil {
		t.Skip("no program sort is installed")
	}
	cmd := exec.CommandContext(t.Context(), path, "-s", "-k1.1,1.10", in)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	theirs, err := cmd.Output()
	if err != nil || !bytes.Equal(got, theirs) {
		t.Errorf("the program sort makes something else of it: %v", err)
	}
}

// TestProgramFails: what is wrong is named, and the exit status tells.
func TestProgramFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	odd := filepath.Join(dir, "odd")
	if err := os.WriteFile(odd, lines(3)[:250], 0o600); err != nil {
		t.Fatal(err)
	}
	done, drawn := filepath.Join(dir, "done"), filepath.Join(dir, "timeline.svg")
	if err := os.MkdirAll(done, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(done, "manifest.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, word string
		args       []string
	}{
		{"missing", "missing", []string{filepath.Join(dir, "missing")}},
		{"half a record", "odd", []string{odd}},
		{"negative", "above 0", []string{"-gen", "-1"}},
		{"both", "either", []string{"-gen", "10", odd}},
		{"done before", "another job", []string{"-gen", "10", "-to", done}},
		{"nowhere", "nowhere", []string{"-gen", "10", "-to", "nowhere://x", "-timeline", drawn}},
	} {
		stdout, stderr, status := programtest.Run(t, c.args...)
		if status != 1 || strings.Contains(stdout, "sorted") || !strings.Contains(stderr, c.word) {
			t.Errorf("%s: %q, exit status %d: %s", c.name, stdout, status, stderr)
		}
	}
	if _, err := os.Stat(drawn); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a job that has not begun was drawn: %v", err)
	}
}

// TestCheck: what -check would find.
func TestCheck(t *testing.T) {
	ex := mappertest.New(t)
	data := lines(10)
	sorted := slices.Collect(slices.Chunk(data, recordSize))
	slices.SortFunc(sorted, bytes.Compare)
	all := slices.Concat(sorted...)
	var want summary
	for _, r := range sorted {
		want.add(r)
	}
	other := bytes.Clone(all)
	other[50] = 'y'
	for name, c := range map[string]struct {
		parts [][]byte
		ok    bool
	}{
		"right":         {[][]byte{all[:300], all[300:]}, true},
		"lost":          {[][]byte{all[:300], all[400:]}, false},
		"twice":         {[][]byte{all[:300], all[200:]}, false},
		"changed":       {[][]byte{other}, false},
		"parts swapped": {[][]byte{all[300:], all[:300]}, false},
		"not sorted":    {[][]byte{data}, false},
	} {
		b := storage.Prefix(ex.Bucket(), strings.ReplaceAll(name, " ", "-"))
		m := mapper.Manifest{URL: b.URL()}
		for i, p := range c.parts {
			key := string(rune('a' + i))
			if err := b.Put(t.Context(), key, bytes.NewReader(p)); err != nil {
				t.Fatal(err)
			}
			m.Parts = append(m.Parts, mapper.Part{Key: key, Size: int64(len(p))})
		}
		if err := check(t.Context(), ex, m, want); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnread: a program whose output nobody reads tells so, and removes what it has stored.
func TestUnread(t *testing.T) {
	t.Parallel()
	stderr, status, left := programtest.Unread(t)
	if status != 1 || !strings.Contains(stderr, "broken pipe") || len(left) > 0 {
		t.Errorf("exit status %d, %s, %q is left", status, stderr, left)
	}
}
