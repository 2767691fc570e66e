package azurefunctions_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/gowren/gowren/backends/azurefunctions"
	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/internal/servers/azfunc"
)

// drivers is what the example links in this test: one cloud.
const drivers = `package clouds

import (
	_ "github.com/gowren/gowren/backends/azurefunctions"
	_ "github.com/gowren/gowren/storage/azstore"
)
`

// TestProgram runs an example on this machine, and then, by environment variables alone, on the stand-in for Azure
// Functions with a real server of Blob Storage. It prints the same.
func TestProgram(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds a program")
	}
	blobs := servers.Azure(t)
	box := "gowren-program"
	cred, err := container.NewSharedKeyCredential(blobs.Account, blobs.Key)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	o := &container.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: &http.Client{Transport: transport}}}
	c, err := container.NewClientWithSharedKeyCredential(blobs.Endpoint+"/"+box, cred, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	key := []string{"AZURE_STORAGE_ACCOUNT=" + blobs.Account, "AZURE_STORAGE_KEY=" + blobs.Key}
	s := azfunc.Start(t, azfunc.Options{
		Accounts: []string{blobs.Account}, Instances: azurefunctions.Instances,
		Environment: key, // Azurite takes tokens over TLS alone
	})
	env := append(append(s.Environment(), key...),
		"GOWREN_BACKEND=azurefunctions://"+subscription+"/gowren/westeurope?endpoint="+url.QueryEscape(s.URL),
		"GOWREN_STORAGE=az://"+blobs.Account+"/"+box+"?endpoint="+url.QueryEscape(blobs.Endpoint))
	program := wordcount(t)
	local := run(t, program, "GOWREN_BACKEND=local://", "GOWREN_STORAGE=file://"+t.TempDir())
	// The second build is another program, and goes to the same app through the bucket.
	for _, program := range []string{program, wordcount(t, "-ldflags=-s -w")} {
		if azure := run(t, program, env...); len(local) == 0 || !bytes.Equal(local, azure) {
			t.Errorf("this machine's workers:\n%s\nAzure's:\n%s", local, azure)
		}
	}
	if apps, sent := s.Apps(), s.Deployments(); len(apps) != 1 || sent != 1 {
		t.Errorf("there are the apps %v, and %d packages were sent", apps, sent)
	}
}

// wordcount builds the example, as it is.
func wordcount(t *testing.T, flags ...string) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(root, "examples/internal/clouds/clouds.go"): filepath.Join(dir, "clouds.go"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"clouds.go": drivers, "overlay.json": string(overlay)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "wordcount")
	args := append([]string{"build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", out}, flags...)
	cmd := exec.Command("go", append(args, "./examples/wordcount")...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	return out
}

// run returns what the program prints.
func run(t *testing.T, program string, env ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "-n", "50", "-split", "100000")
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	return out
}
