package progress

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

var hostile = map[string]string{
	"plain text":          "plain text",
	"\x1b[2J\x1b[H":       `\x1b[2J\x1b[H`,
	"\x1b]0;title\x07":    `\x1b]0;title\a`,
	"a\nb\rc":             `a\nb\rc`,
	"tab\there":           "tab\there",
	"\x00\x7f\b":          `\x00\x7f\b`,
	"\u009b2J":            `\u009b2J`,
	"\x9b2J\xff":          `\x9b2J\xff`,
	"\u202egnp.exe":       `\u202egnp.exe`,
	"a\u2028b\ufeff":      `a\u2028b\ufeff`,
	"naïve, 画像, 👩\u200d🔬": "naïve, 画像, 👩\u200d🔬",
	`C:\new "x" 'y'`:      `C:\new "x" 'y'`,
	"\ufffd":              "\ufffd",
}

func TestClean(t *testing.T) {
	t.Parallel()
	for s, want := range hostile {
		if got := string(appendClean(nil, s)); got != want {
			t.Errorf("appendClean(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestHostileTextIsHarmlessEverywhere(t *testing.T) {
	t.Parallel()
	for _, bar := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			term := newTerminal(100)
			v := newView(term, term.width)
			if !bar {
				v = newView(term, nil)
			}
			for s := range hostile {
				stop := v.Watch(s, fixed(Counts{Done: 1, Running: 1}))
				time.Sleep(2 * v.delay)
				v.Log(s, s)
				stop()
			}
			screenOf(t, term.take()) // fails at any control
		})
	}
}

func FuzzClean(f *testing.F) {
	for s := range hostile {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, s string, columns int) {
		got := string(appendClean(nil, s))
		if !utf8.ValidString(got) {
			t.Errorf("not UTF-8: %q", got)
		}
		for _, r := range got {
			if !harmless(r) || r < ' ' && r != '\t' || 0x7f <= r && r < 0xa0 {
				t.Errorf("%q holds %q", got, r)
			}
		}
		if again := string(appendClean(nil, got)); again != got {
			t.Errorf("cleaned again, %q becomes %q", got, again)
		}
		name := cleanName(s)
		if strings.Contains(name, "\t") || name == "" {
			t.Errorf("name %q", name)
		}
		short := truncate(name, columns)
		if n := columnsOf(short); n > max(columns, 0) {
			t.Errorf("%q takes %d columns of %d", short, n, columns)
		}
		if !utf8.ValidString(short) {
			t.Errorf("cut in a rune: %q", short)
		}
		if columnsOf(name) <= columns && short != name {
			t.Errorf("%q was cut to %q without need", name, short)
		}
	})
}

// sink is a writer that costs nothing.
type sink struct{}

func (sink) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkLog(b *testing.B) {
	const line = "2026-01-02T15:04:05Z INFO epoch done loss=0.1234 samples=100000"
	for name, width := range map[string]func() (int, bool){"plain": nil, "bar": func() (int, bool) { return 80, true }} {
		b.Run(name, func(b *testing.B) {
			v := newView(sink{}, width)
			if width != nil {
				v.screen.draw(full.bar)
			}
			b.ReportAllocs()
			for b.Loop() {
				v.Log("worker 12", line)
			}
		})
	}
}
