package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowren/gowren/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

// TestProgram as it is called: the book without arguments, files, a folder, a URL.
func TestProgram(t *testing.T) {
	t.Parallel()
	book := strings.SplitAfter(reference(string(opticks)), "\n")
	dir := t.TempDir()
	for name, text := range map[string]string{"a.txt": "b a\nb", "below/b.txt": "b c", "empty": ""} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"book", book[0] + book[1], []string{"-n", "2"}},
		{"folder", "3\tb\n1\ta\n1\tc\n", []string{"-all", dir}},
		{"URL", "3\tb\n", []string{"-n", "1", "file://" + dir}},
		{"files", "3\tb\n1\ta\n1\tc\n", []string{filepath.Join(dir, "a.txt"), filepath.Join(dir, "below/b.txt")}},
		{"a file twice", "4\tb\n2\ta\n", []string{filepath.Join(dir, "a.txt"), filepath.Join(dir, "a.txt")}},
		{"none", "", []string{"-n", "0", dir}},
		{"empty", "", []string{filepath.Join(dir, "empty")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, status := programtest.Run(t, c.args...)
			if stdout != c.want || status != 0 {
				t.Errorf("%q, want %q; exit status %d: %s", stdout, c.want, status, stderr)
			}
		})
	}
}

// TestProgramFails: what is wrong is named, nothing is printed, and the exit status tells.
func TestProgramFails(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing.txt")
	for _, c := range []struct {
		name, word string
		args       []string
	}{
		{"missing", missing, []string{missing}},
		{"unknown store", "ftp", []string{"ftp://host/x"}},
		{"negative split", "-1", []string{"-split", "-1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, status := programtest.Run(t, c.args...)
			if status != 1 || stdout != "" || !strings.Contains(stderr, c.word) {
				t.Errorf("%q, exit status %d: %s", stdout, status, stderr)
			}
		})
	}
}

// TestUnread: a program whose output nobody reads tells so.
func TestUnread(t *testing.T) {
	t.Parallel()
	if stderr, status, _ := programtest.Unread(t); status != 1 || !strings.Contains(stderr, "broken pipe") {
		t.Errorf("exit status %d, %s", status, stderr)
	}
}
