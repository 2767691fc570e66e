package awslambda

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/flate"

	"github.com/gowren/gowren/internal/program"
)

// Lambda's limits of an archive that comes in the request, in bytes.
const (
	largestArchive  = 50 << 20
	largestUnpacked = 250 << 20
)

// The files of an archive. The program's hash goes with the program, so that no update can change one of them alone.
const (
	bootstrapFile = "bootstrap"
	hashFile      = "program.sha256"
)

// archive packs a program as the bootstrap of a function.
func archive(exe *program.Executable) ([]byte, error) {
	if exe.Size > largestUnpacked {
		return nil, invalid("the program %s has %d MB, and a function of Lambda has at most %d", exe.Path, exe.Size>>20, largestUnpacked>>20)
	}
	f, err := os.Open(exe.Path)
	if err != nil {
		return nil, invalid("the program: %w", err)
	}
	defer f.Close()
	data, err := zipped(f, exe.Hash, zip.Deflate)
	if err != nil {
		return nil, invalid("pack the program %s: %w", exe.Path, err)
	}
	if len(data) > largestArchive {
		return nil, invalid("the program %s has %d MB when packed, and Lambda takes %d in a request: strip it (go build -ldflags='-s -w'), or link less",
			exe.Path, len(data)>>20, largestArchive>>20)
	}
	return data, nil
}

// zipped makes an archive of a program and its hash.
func zipped(bootstrap io.Reader, hash string, method uint16) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.DefaultCompression) })
	err := errors.Join(
		add(w, bootstrapFile, 0o755, method, bootstrap),
		add(w, hashFile, 0o644, method, bytes.NewReader([]byte(hash))),
		w.Close(),
	)
	return out.Bytes(), err
}

func add(w *zip.Writer, name string, mode fs.FileMode, method uint16, content io.Reader) error {
	h := &zip.FileHeader{Name: name, Method: method}
	h.SetMode(mode)
	f, err := w.CreateHeader(h)
	if err == nil {
		_, err = io.Copy(f, content)
	}
	return err
}
