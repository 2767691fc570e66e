package gcpfunctions

import (
	"archive/zip"
	"compress/flate"
	_ "embed" // the source module is part of this package
	"fmt"
	"io"
	"os"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/program"
)

// The source module depends on nothing but the standard library: the buildpack adds the Functions Framework to a module
// that does not require it. Its go line is the oldest runtime that functions can still be made with.
var (
	//go:embed source/go.mod.txt
	sourceMod string
	//go:embed source/function.go.txt
	sourceCode string
)

// maxArchive is what the service takes, in bytes.
const maxArchive = 100 << 20

// archive packs the source module with the program into a temporary file, which the caller removes, at a level of package
// flate. Equal programs have equal archives.
func archive(e *program.Executable, level int) (_ *os.File, err error) {
	out, err := os.CreateTemp("", "gowren-source-*.zip")
	if err != nil {
		return nil, fmt.Errorf("%s: pack the source: %w", scheme, err)
	}
	defer func() {
		if err != nil {
			_ = out.Close() // it is removed
			_ = os.Remove(out.Name())
		}
	}()
	z := zip.NewWriter(out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, level) })
	for _, f := range []struct{ name, text string }{
		{"go.mod", sourceMod},
		{"function.go", sourceCode},
		{"program.go", fmt.Sprintf("package function\n\n// program is the SHA-256 of the worker.\nconst program = %q\n", e.Hash)},
	} {
		w, err := z.Create(f.name)
		if err == nil {
			_, err = io.WriteString(w, f.text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: pack the source: %w", scheme, err)
		}
	}
	if err := pack(z, e.Path); err != nil {
		return nil, fmt.Errorf("%s: pack the program %s: %w", scheme, e.Path, err)
	}
	size, err := out.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = out.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: pack the source: %w", scheme, err)
	}
	if size > maxArchive {
		return nil, fmt.Errorf("%s: the program %s has %d MB, packed %d MB, and the service takes %d MB: build it stripped (-ldflags='-s -w'), or embed less: %w",
			scheme, e.Path, e.Size>>20, size>>20, maxArchive>>20, backends.ErrInvalid)
	}
	return out, nil
}

// pack adds the program, and ends the archive.
func pack(z *zip.Writer, path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	w, err := z.Create("worker")
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, in); err != nil {
		return err
	}
	return z.Close()
}
