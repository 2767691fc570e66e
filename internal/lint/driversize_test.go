package lint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// withDriver is what a worker may take, stripped, that links a driver.
var withDriver = map[string]int64{
	"storage/azstore": 12 << 20,
}

// TestDriverSize builds the quickstart with one more file, which links a driver, and weighs it.
func TestDriverSize(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds programs")
	}
	for driver, limit := range withDriver {
		t.Run(driver, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name string, data []byte) string {
				path := filepath.Join(dir, name)
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				return path
			}
			// The build takes the file for one of the quickstart's, which it is not.
			link := write("link.go", []byte("package main\n\nimport _ \""+module+"/"+driver+"\"\n"))
			place, err := filepath.Abs(filepath.Join(root, quickstart, "zz_link.go"))
			if err != nil {
				t.Fatal(err)
			}
			overlay, err := json.Marshal(map[string]map[string]string{"Replace": {place: link}})
			if err != nil {
				t.Fatal(err)
			}
			hold(t, weigh(t, "-overlay="+write("overlay.json", overlay)), limit)
		})
	}
}
