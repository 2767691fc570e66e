package lint

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// sdks are the modules that make programs large, and the packages that may link them. The examples may link all.
var sdks = []struct {
	name     string
	prefixes []string
	drivers  []string
}{
	{"Amazon's SDK", []string{"github.com/aws/"}, []string{"storage/s3store", "backends/awslambda"}},
	{
		"Google's SDK", []string{"cloud.google.com/go", "google.golang.org/"},
		[]string{"storage/gcsstore", "backends/gcpfunctions"},
	},
	{
		"Azure's SDK", []string{"github.com/Azure/", "github.com/AzureAD/"},
		[]string{"storage/azstore", "backends/azurefunctions"},
	},
	{"the Redis client", []string{"github.com/redis/"}, []string{"storage/redisstore", "mlops/..."}},
	{"the testing package", []string{"testing"}, testOnly},
}

// TestLinks holds what each package links, directly or not: mapper, and so a program without a cloud, links none of
// the SDKs, and each driver only its own.
func TestLinks(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Deps", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Deps       []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		folder := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, sdk := range sdks {
			if inside(folder, sdk.drivers) || inside(folder, []string{"examples/..."}) || inside(folder, []string{"internal/servers/..."}) {
				continue
			}
			if dep := firstWith(sdk.prefixes, p.Deps); dep != "" {
				t.Errorf("%s links %s (%s): only %s may", folder, sdk.name, dep, strings.Join(sdk.drivers, ", "))
			}
		}
	}
}

// firstWith returns the first package with one of the prefixes.
func firstWith(prefixes, packages []string) string {
	for _, p := range packages {
		for _, prefix := range prefixes {
			if strings.HasPrefix(p, prefix) {
				return p
			}
		}
	}
	return ""
}
