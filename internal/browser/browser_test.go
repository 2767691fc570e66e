package browser

import (
	"image/color"
	"os"
	"path/filepath"
	"strings"
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
