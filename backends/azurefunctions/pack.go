package azurefunctions

import (
	"archive/zip"
	"compress/flate"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"github.com/gowren/gowren/internal/program"
)

// What a package holds beside host.json and function.json.
const (
	executableFile = "worker"
	hashFile       = "worker.sha256"
	functionName   = "gowren"
)

// hostJSON tells the host to pass requests on as they are, and answers as they come. The prefix of routes, api, is taken
// away. The time-out is a little above the front's: what nobody waits for any more is ended.
var hostJSON = map[string]any{
	"version":         "2.0",
	"functionTimeout": "00:05:00",
	"extensions":      map[string]any{"http": map[string]any{"routePrefix": ""}},
	"customHandler": map[string]any{
		"description":               map[string]any{"defaultExecutablePath": executableFile},
		"enableProxyingHttpRequest": true,
	},
}

// functionJSON is the one function, whose key each request needs.
var functionJSON = map[string]any{
	"bindings": []any{
		map[string]any{
			"type": "httpTrigger", "direction": "in", "name": "request", "authLevel": "function",
			"methods": []string{"get", "post"}, "route": "{action}",
		},
		map[string]any{"type": "http", "direction": "out", "name": "response"},
	},
}

// pack writes the package into a temporary file, which the caller removes.
func pack(exe *program.Executable, method uint16) (_ *os.File, err error) {
	out, err := os.CreateTemp("", "gowren-package-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, out.Close(), os.Remove(out.Name()))
		}
	}()
	z := zip.NewWriter(out)
	// Programs of Go shrink to half at once, and to little less with more work.
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for name, content := range map[string]any{"host.json": hostJSON, functionName + "/function.json": functionJSON} {
		text, err := json.MarshalIndent(content, "", "  ")
		if err != nil {
			return nil, err
		}
		if err := add(z, name, 0o644, text, nil, method); err != nil {
			return nil, err
		}
	}
	if err := add(z, hashFile, 0o644, []byte(exe.Hash+"\n"), nil, method); err != nil {
		return nil, err
	}
	in, err := os.Open(exe.Path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	if err := errors.Join(add(z, executableFile, 0o755, nil, in, method), z.Close()); err != nil {
		return nil, err
	}
	_, err = out.Seek(0, io.SeekStart)
	return out, err
}

// add writes a file. The host reads and executes by the permissions in the package.
func add(z *zip.Writer, name string, mode os.FileMode, text []byte, from io.Reader, method uint16) error {
	h := &zip.FileHeader{Name: name, Method: method, Modified: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
	h.SetMode(mode)
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	if from != nil {
		_, err = io.Copy(w, from)
		return err
	}
	_, err = w.Write(text)
	return err
}
