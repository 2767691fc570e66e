package gcf

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// framework is what the buildpack adds to a module that does not require it.
const framework = "github.com/GoogleCloudPlatform/functions-framework-go@v1.9.2"

// mainFile is the program that is made around a function: it registers the exported function that the entry point names,
// and serves.
const mainFile = `package main

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"

	function %q
)

func main() {
	var f func(http.ResponseWriter, *http.Request) = function.%s
	if err := funcframework.RegisterHTTPFunctionContext(context.Background(), "/", f); err != nil {
		log.Fatal(err)
	}
	if err := funcframework.Start(os.Getenv("PORT")); err != nil {
		log.Fatal(err)
	}
}
`

// largestSource is what an archive may hold, in bytes.
const largestSource = 500 << 20

// builds are those of this process: servers of several tests compile the same archives.
var builds = struct {
	sync.Mutex
	all map[[32]byte]*built
}{all: map[[32]byte]*built{}}

// built is one archive's program.
type built struct {
	once sync.Once
	data []byte
	err  error
}

// build compiles an archive, once for the process, and returns the program's path.
func (s *Server) build(archive []byte, entry string) (string, error) {
	if text := s.buildFailure(); text != "" {
		return "", errors.New(text)
	}
	key := sha256.Sum256(append([]byte(entry+"\n"), archive...))
	builds.Lock()
	b := builds.all[key]
	if b == nil {
		b = &built{}
		builds.all[key] = b
	}
	builds.Unlock()
	b.once.Do(func() {
		dir := filepath.Join(s.dir, "build-"+hex.EncodeToString(key[:8]))
		if b.err = compile(archive, entry, dir); b.err == nil {
			b.data, b.err = os.ReadFile(filepath.Join(dir, "main"))
		}
		b.err = errors.Join(b.err, os.RemoveAll(dir))
	})
	if b.err != nil {
		return "", b.err
	}
	path := filepath.Join(s.dir, hex.EncodeToString(key[:8]))
	s.writing.Lock()
	defer s.writing.Unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, os.WriteFile(path, b.data, 0o700)
}

// buildFailure is why the next build fails, or "".
func (s *Server) buildFailure() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.builds > 0 {
		s.faults.builds--
		return s.faults.text
	}
	return s.options.BuildError
}

// compile unpacks an archive below dir, adds what the buildpack adds, and compiles it to dir/main.
func compile(archive []byte, entry, dir string) error {
	source := filepath.Join(dir, "serverless_function_source_code")
	if err := unzip(archive, source); err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		return errors.New("function build requires go.mod file")
	}
	first, _, _ := strings.Cut(string(mod), "\n")
	module, ok := strings.CutPrefix(first, "module ")
	if host, _, _ := strings.Cut(module, "/"); !ok || !strings.Contains(host, ".") {
		return fmt.Errorf("the module path in the function's go.mod must contain a dot in the first path element before a slash, found: %s", module)
	}
	run := func(args ...string) error {
		cmd := exec.Command("go", args...)
		cmd.Dir = source
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w: %s", args[0], err, bytes.TrimSpace(out))
		}
		return nil
	}
	if !strings.Contains(string(mod), "functions-framework-go") {
		if err := run("mod", "edit", "-require", framework); err != nil {
			return err
		}
	}
	app := filepath.Join(source, "functions.local", "app")
	if err := os.MkdirAll(app, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(app, "main.go"), fmt.Appendf(nil, mainFile, module, entry), 0o600); err != nil {
		return err
	}
	if err := run("mod", "tidy"); err != nil {
		return err
	}
	return run("build", "-o", filepath.Join(dir, "main"), "./functions.local/app")
}

// unzip writes an archive's files below dir.
func unzip(archive []byte, dir string) error {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return fmt.Errorf("the source is no zip file: %w", err)
	}
	total := uint64(0)
	for _, f := range r.File {
		if total += f.UncompressedSize64; total > largestSource {
			return fmt.Errorf("the source is larger than %d bytes", largestSource)
		}
		if !filepath.IsLocal(f.Name) {
			return fmt.Errorf("the source has a file %q", f.Name)
		}
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		in, err := f.Open()
		if err != nil {
			return err
		}
		data, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			return err
		}
	}
	return nil
}
