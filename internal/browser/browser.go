// Package browser looks at pages with a real browser, for tests: Chromium, without a window.
package browser

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/servers"
)

// patience is how long the browser may take for a page.
const patience = time.Minute

// Look is how a page is looked at.
type Look struct {
	Width, Height int
	Dark          bool
}

// Screenshot returns what a page looks like. Where there is no browser the test is skipped, or
// fails, as that of a server that is not there: see package servers.
func Screenshot(t testing.TB, url string, l Look) image.Image {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.png")
	run(t, url, l, "--screenshot="+file)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Document returns a page as the browser has it when it is loaded, as HTML.
func Document(t testing.TB, url string) string {
	t.Helper()
	return run(t, url, Look{Width: 1000, Height: 800}, "--dump-dom")
}

// run starts the browser, with a profile of its own, and waits for its end.
func run(t testing.TB, url string, l Look, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	args = append(args, "--headless", "--disable-gpu", "--no-sandbox", "--hide-scrollbars", "--disable-extensions", "--no-first-run",
		"--user-data-dir="+t.TempDir(), fmt.Sprintf("--window-size=%d,%d", l.Width, l.Height))
	if l.Dark {
		args = append(args, "--blink-settings=preferredColorScheme=0")
	}
	cmd := exec.CommandContext(ctx, find(t), append(args, url)...)
	cmd.WaitDelay = time.Second // its own processes may hold the pipe
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return string(out)
}

// find returns the browser, or skips the test, or fails it where servers are required and this machine can have one.
func find(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "Chromium is needed, and is not in $PATH: .ci/servers installs it where it can"
	if os.Getenv("GOWREN_REQUIRE_SERVERS") == "1" && !servers.Lacks("browser") {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}
