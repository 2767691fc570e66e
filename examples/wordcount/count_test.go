package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// reference counts the words of texts in another way, and writes them as the program does.
func reference(texts ...string) string {
	counts := map[string]int{}
	for _, text := range texts {
		for _, word := range strings.Fields(text) {
			counts[word]++
		}
	}
	var lines [][2]string
	for word, n := range counts {
		lines = append(lines, [2]string{fmt.Sprint(n), word})
	}
	slices.SortFunc(lines, func(a, b [2]string) int {
		return cmp.Or(counts[b[1]]-counts[a[1]], strings.Compare(a[1], b[1]))
	})
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l[0] + "\t" + l[1] + "\n")
	}
	return b.String()
}

// counted is what the program makes of files with those texts.
func counted(t *testing.T, size int64, texts ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := run(t.Context(), &out, []string{dir}, size, -1); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestCount over texts that are easily got wrong, in splits down to a byte.
func TestCount(t *testing.T) {
	t.Setenv("GOWREN_BACKEND", "inproc")
	t.Setenv("GOWREN_STORAGE", "mem://count")
	for name, texts := range map[string][]string{
		"empty":          {""},
		"blank":          {" \n\n \t\n"},
		"one word":       {"word"},
		"no last end":    {"a b\nc a"},
		"CRLF":           {"a b\r\nb\r\n\r\na"},
		"CR alone":       {"a\rb\rb"},
		"spaces":         {"a\u00a0b\u2003a\u3000c\u0085a\vb\f"},
		"no spaces":      {"a\u200bb \ufeffa"},
		"letters":        {"Æ æ Æ, naïve naïve e\u0301 é 语言 语言"},
		"not UTF-8":      {"\xff\xfe a\xff \xff\xfe \xa0 \x85"},
		"zeros":          {"\x00 a\x00b \x00\n\x00"},
		"long words":     {strings.Repeat("x", 300) + " " + strings.Repeat("y", 300) + "\n" + strings.Repeat("x", 300)},
		"several":        {"a b", "", "b\n", "c a\nb"},
		"much and alike": {strings.Repeat("to be or not\n", 60)},
	} {
		t.Run(name, func(t *testing.T) {
			want := reference(texts...)
			for _, size := range []int64{1, 2, 7, 64, 0} {
				if got := counted(t, size, texts...); got != want {
					t.Errorf("splits of %d bytes: %q, want %q", size, got, want)
				}
			}
		})
	}
}

// TestCountBook compares with other programs, where they exist.
func TestCountBook(t *testing.T) {
	t.Setenv("GOWREN_BACKEND", "local://?workers=2")
	t.Setenv("GOWREN_STORAGE", "file://"+t.TempDir())
	got := counted(t, 50_000, string(opticks))
	if got != reference(string(opticks)) {
		t.Error("the words of the book are counted otherwise than by strings.Fields")
	}
	for _, name := range []string{"sh", "tr", "sort", "uniq"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
	ascii := bytes.Map(func(r rune) rune {
		if r > 126 {
			return 'x'
		}
		return r
	}, opticks)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "tr -s '[:space:]' '\\n' | sed '/^$/d' | sort | uniq -c")
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdin = bytes.NewReader(ascii)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		n, word, _ := strings.Cut(strings.TrimLeft(lines.Text(), " "), " ")
		theirs[word] = n
	}
	for line := range strings.Lines(counted(t, 50_000, string(ascii))) {
		n, word, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if theirs[word] != n {
			t.Errorf("%q: %s, but uniq says %q", word, n, theirs[word])
		}
		delete(theirs, word)
	}
	if len(theirs) > 0 {
		t.Errorf("%d words are missing", len(theirs))
	}
}
