package browser

import (
	"image/color"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// TestLook: a page is seen as it is, light and dark, and after its scripts.
func TestLook(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "page.html")
	page := `<!doctype html><style>html{background:#0000ff} @media (prefers-color-scheme: dark) {html{background:#ff0000}}</style><p id=p>before</p><script>p.textContent = "after"</script>`
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	for dark, want := range map[bool]color.RGBA{false: {0, 0, 255, 255}, true: {255, 0, 0, 255}} {
		img := Screenshot(t, "file://"+file, Look{300, 200, dark})
		if size := img.Bounds().Size(); size.X != 300 || size.Y != 200 {
			t.Errorf("%v", size)
		}
		if r, g, b, _ := img.At(250, 150).RGBA(); uint8(r>>8) != want.R || uint8(g>>8) != want.G || uint8(b>>8) != want.B {
			t.Errorf("dark %v: %v", dark, img.At(250, 150))
		}
	}
	if doc := Document(t, "file://"+file); !strings.Contains(doc, ">after</p>") {
		t.Errorf("%s", doc)
	}
}

// judged is a test that notes how it ended.
type judged struct {
	testing.TB
	end string
}

func (j *judged) Helper() {}

func (j *judged) Fatal(...any) { j.over("failed") }

func (j *judged) Skip(...any) { j.over("skipped") }

func (j *judged) over(end string) {
	j.end = end
	runtime.Goexit()
}

// TestMissing: where servers are required a browser is, too, unless .ci/servers has noted that this machine cannot have one.
func TestMissing(t *testing.T) {
	for _, c := range []struct{ required, note, want string }{
		{"", "", "skipped"}, {"", "none\n", "skipped"}, {"1", "", "failed"}, {"1", "chromium\n", "failed"}, {"1", "none\n", "skipped"},
	} {
		dir := t.TempDir()
		t.Setenv("PATH", dir)
		t.Setenv("GOWREN_SERVERS", dir)
		t.Setenv("GOWREN_REQUIRE_SERVERS", c.required)
		if c.note != "" {
			if err := os.Mkdir(filepath.Join(dir, ".installed"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, ".installed", "browser"), []byte(c.note), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		j := &judged{TB: t}
		var wait sync.WaitGroup
		wait.Go(func() { find(j) })
		wait.Wait()
		if j.end != c.want {
			t.Errorf("required %q, noted %q: the test is %q, want %q", c.required, c.note, j.end, c.want)
		}
	}
}
