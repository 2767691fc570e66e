package lint

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// driverSizes are what a worker with one cloud's driver may take, stripped.
var driverSizes = []struct {
	driver  string
	tags    string // of the build, which its documentation names
	largest int64
}{
	{"backends/awslambda", "", 17 << 20},
	{"backends/gcpfunctions", "disable_grpc_modules,grpcnotrace", 20 << 20}, // its store, a client and a server of HTTP
	{"backends/azurefunctions", "", 13 << 20},
	{"storage/azstore", "", 12 << 20},
	{"storage/gcsstore", "disable_grpc_modules,grpcnotrace", 18 << 20},
	{"storage/s3store", "", 18 << 20},
}

// TestDriverSize builds the quickstart with each driver and weighs it.
func TestDriverSize(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds programs")
	}
	original, err := filepath.Abs(filepath.Join(root, quickstart, "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(original)
	if err != nil {
		t.Skip("there is no quickstart yet")
	}
	for _, d := range driverSizes {
		if _, ok := tree(t)[d.driver]; !ok {
			t.Errorf("%s is not there", d.driver)
			continue
		}
		t.Run(d.driver, func(t *testing.T) {
			t.Parallel()
			// The compiler reads a changed copy in the place of the program's file.
			dir := t.TempDir()
			changed := strings.Replace(string(src), "import (", "import (\n\t_ \""+module+"/"+d.driver+"\"", 1)
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: filepath.Join(dir, "main.go")}})
			if err != nil {
				t.Fatal(err)
			}
			for name, content := range map[string]string{"main.go": changed, "overlay.json": string(overlay)} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			program := filepath.Join(dir, "worker")
			cmd := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-tags", d.tags,
				"-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "./"+quickstart)
			cmd.Dir = root
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("go build: %v\n%s", err, out)
			}
			info, err := os.Stat(program)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("a worker with %s: %.1f MB of %d", d.driver, float64(info.Size())/(1<<20), d.largest>>20)
			if info.Size() > d.largest {
				t.Errorf("a worker with %s has %d bytes, more than %d", d.driver, info.Size(), d.largest)
			}
		})
	}
}
