package lint

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floors are the house from the ground up: a package imports only from floors below its own. A new package is added
// here; "/..." stands for all packages below a folder. A package need not exist yet.
var floors = [][]string{
	{"serialize", "storage", "internal/wire", "internal/events", "internal/registry", "internal/faults", "internal/times", "internal/lent", "internal/exact", "internal/decimal"},
	{
		"backends", "storage/memstore", "storage/filestore", "storage/s3store", "storage/gcsstore", "storage/azstore",
		"storage/redisstore", "internal/leftover",
	},
	{
		"internal/process", "internal/program", "internal/worker", "internal/sched", "internal/shuffle",
		"internal/progress", "internal/journal", "internal/dashboard",
	},
	{"internal/supervisor"},
	{"backends/inproc", "backends/local", "backends/httpworker"},
	{"backends/awslambda", "backends/gcpfunctions", "backends/azurefunctions"},
	{"mapper"},
	{"mlops/..."},
	{"examples/..."},
}

// neighbours are the imports allowed inside a floor, each with its reason.
var neighbours = []struct {
	from, to []string
	reason   string
}{
	{[]string{"internal/registry"}, []string{"serialize", "storage"}, "a registered function decodes, encodes, and may use the bucket"},
	{[]string{"internal/wire"}, []string{"internal/times"}, "a reply ends with a histogram"},
	{[]string{"internal/faults"}, []string{"storage"}, "it wraps a bucket"},
	{[]string{"mlops/..."}, []string{"mlops/..."}, "it is a house of its own"},
	{[]string{"examples/..."}, []string{"examples/internal/..."}, "what examples share"},
}

// testOnly are linked by tests alone. They may import anything; nothing but they and tests imports them.
var testOnly = []string{
	"backends/backendtest", "storage/storagetest", "mapper/mappertest", "internal/decimal/decimaltest", "examples/internal/programtest", "internal/servers/...", "internal/browser", "internal/lint",
}

// floorOf returns the number of the folder's floor, or 0.
func floorOf(folder string) int {
	for i, packages := range floors {
		if inside(folder, packages) {
			return i + 1
		}
	}
	return 0
}

// TestFloors holds the table above.
func TestFloors(t *testing.T) {
	t.Parallel()
	for folder, files := range tree(t) {
		if inside(folder, testOnly) {
			continue
		}
		if floorOf(folder) == 0 {
			t.Errorf("%s is on no floor: add it to the table floors in internal/lint/floors_test.go", folder)
			continue
		}
		for _, f := range files {
			if f.test {
				continue
			}
			for _, imported := range f.imports {
				to, ours := strings.CutPrefix(imported, module+"/")
				if !ours {
					continue
				}
				if why := forbidden(folder, to); why != "" {
					t.Errorf("%s imports %s: %s", f.name, to, why)
				}
			}
		}
	}
}

// TestFloorsAreTold holds that docs/architecture.md has each internal package in its house, and on its floor.
func TestFloorsAreTold(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	for folder := range tree(t) {
		name, ours := strings.CutPrefix(folder, "internal/")
		if !ours || strings.Contains(name, "/") {
			continue
		}
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "  "+name+" ") }) {
			t.Errorf("%s is not in the house of docs/architecture.md", folder)
		}
		if n := floorOf(folder); n > 0 && !slices.ContainsFunc(lines, func(line string) bool {
			return strings.HasPrefix(line, fmt.Sprintf("%d. ", n)) && strings.Contains(line, "`"+folder+"`")
		}) {
			t.Errorf("%s is not on floor %d of docs/architecture.md", folder, n)
		}
	}
}

// forbidden says why the package from may not import to; "" means that it may.
func forbidden(from, to string) string {
	if inside(to, testOnly) {
		return "that is for tests alone"
	}
	a, b := floorOf(from), floorOf(to)
	switch {
	case b == 0:
		return "that is on no floor"
	case b < a:
		return ""
	case b > a:
		return "that is on a floor above"
	}
	for _, n := range neighbours {
		if inside(from, n.from) && inside(to, n.to) {
			return ""
		}
	}
	return "that is on the same floor, and not among the neighbours"
}

// TestForbidden checks the judge.
func TestForbidden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"storage/memstore", "storage", true},
		{"storage", "storage/memstore", false},
		{"storage/s3store", "storage/filestore", false},
		{"internal/registry", "serialize", true},
		{"serialize", "internal/registry", false},
		{"internal/worker", "internal/wire", true},
		{"internal/worker", "internal/sched", false},
		{"internal/dashboard", "mapper", false},
		{"mapper", "backends/backendtest", false},
		{"mlops/train", "mlops/comm", true},
		{"examples/wordcount", "examples/internal/clouds", true},
		{"examples/wordcount", "examples/quickstart", false},
		{"mapper", "nowhere", false},
	} {
		if why := forbidden(c.from, c.to); (why == "") != c.ok {
			t.Errorf("%s imports %s: %q, want allowed: %v", c.from, c.to, why, c.ok)
		}
	}
}
