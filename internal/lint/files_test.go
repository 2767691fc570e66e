package lint

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Lines that a file may have. One idea a file: most have 80 to 200.
const (
	longestCode = 400
	longestTest = 600
)

// longer are the files that may be longer: name from the root, and the reason.
var longer = map[string]string{}

// TestFileLength holds the limits, and the list of exceptions to what exists and needs one.
func TestFileLength(t *testing.T) {
	t.Parallel()
	over := map[string]bool{}
	for folder, files := range tree(t) {
		for _, f := range files {
			limit := longestCode
			if f.test || inside(folder, testOnly) {
				limit = longestTest
			}
			if f.lines <= limit {
				continue
			}
			over[f.name] = true
			if longer[f.name] == "" {
				t.Errorf("%s has %d lines, more than %d: split it by idea, or give the reason in internal/lint/files_test.go",
					f.name, f.lines, limit)
			}
		}
	}
	for name := range longer {
		if !over[name] {
			t.Errorf("%s needs no exception any more: take it out of the list longer", name)
		}
	}
}

// TestPackageNames refuses names that say nothing.
func TestPackageNames(t *testing.T) {
	t.Parallel()
	for folder := range tree(t) {
		switch path.Base(folder) {
		case "util", "utils", "common", "helper", "helpers", "types", "misc", "pkg":
			t.Errorf("%s: name the package for what it does", folder)
		}
	}
}

// traces are words that belong on the desk and not in the tree. They are pieced together so as not to find themselves.
var traces = []*regexp.Regexp{
	regexp.MustCompile(`\bTO` + `DO(\(\w|:)|\bFIX` + `ME\b`),
	// Absolute paths of somebody's own folders, after a file URL's beginning too, but not inside a longer path.
	regexp.MustCompile("(^|[\\s\"'`(=:,\\[]|file://)/(root/|work/|home/\\w|Users/\\w|tmp/be" + "nch)"),
}

// TestTraces looks for them in every text file.
func TestTraces(t *testing.T) {
	t.Parallel()
	err := walk(func(name string) error {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		if bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0 {
			return nil // not text
		}
		number := 0
		for line := range strings.Lines(string(data)) {
			number++
			if found := trace(line); found != "" {
				t.Errorf("%s:%d: %q does not belong in the tree", name, number, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// trace returns the first trace in a line.
func trace(line string) string {
	for _, words := range traces {
		if found := words.FindString(line); found != "" {
			return strings.TrimSpace(found)
		}
	}
	return ""
}

// TestTrace checks the finder.
func TestTrace(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"// TO" + "DO(me): later":       true,
		"cd /ro" + "ot/x":               true,
		"file:///wo" + "rk/main":        true,
		"`/tmp/be" + "nch7`":            true,
		"in /tmp/demo":                  false,
		"ctx := context.TO" + "DO()":    false,
		"jobs/work/7, /workers, a/root": false,
		"s3://work/root/x":              false,
	} {
		if got := trace(line) != ""; got != want {
			t.Errorf("%q: found %v, want %v", line, got, want)
		}
	}
}
