package lambda

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
)

// archive is a function's code in a request. Its other sources, S3 and images, are not imitated.
type archive struct{ ZipFile []byte }

// Lambda's limits of an archive, in bytes.
const (
	largestZip      = 50 << 20
	largestUnzipped = 250 << 20
)

// unpack unpacks an archive into a folder of its own, and tells config of it. The caller holds s.mu.
func (s *Server) unpack(a archive, config *configuration) (root string, err error) {
	if len(a.ZipFile) == 0 {
		return "", invalid("Please provide a source for function code.")
	}
	if len(a.ZipFile) > largestZip {
		return "", refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException",
			"Request must be smaller than %d bytes for the operation", largestRequest)
	}
	r, err := zip.NewReader(bytes.NewReader(a.ZipFile), int64(len(a.ZipFile)))
	if err != nil {
		return "", invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	var size uint64
	for _, f := range r.File {
		if size += f.UncompressedSize64; size > largestUnzipped {
			return "", invalid("Unzipped size must be smaller than %d bytes", largestUnzipped)
		}
		if !filepath.IsLocal(f.Name) {
			return "", invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
		}
	}
	s.deploys++
	root = filepath.Join(s.dir, "task-"+itoa(s.deploys))
	for _, f := range r.File {
		if err := extract(f, filepath.Join(root, filepath.FromSlash(f.Name))); err != nil {
			return "", err
		}
	}
	sum := sha256.Sum256(a.ZipFile)
	config.CodeSha256 = base64.StdEncoding.EncodeToString(sum[:])
	config.CodeSize = int64(len(a.ZipFile))
	return root, nil
}

func extract(f *zip.File, to string) error {
	if f.FileInfo().IsDir() {
		return os.MkdirAll(to, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	defer in.Close()
	// No process may be started while the file is open for writing: it would hold it open, and it could not be run.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, f.Mode().Perm()|0o400)
	if err != nil {
		return err
	}
	_, err = io.CopyN(out, in, int64(f.UncompressedSize64))
	if err = errors.Join(err, out.Close()); err != nil {
		return invalid("Could not unzip uploaded file. Please check your file, then try to upload again: %v", err)
	}
	return nil
}

// entrypoint says why a deployment's bootstrap cannot be run, as Lambda words it; "" means that it can.
func (d *deployment) entrypoint() string {
	path := filepath.Join(d.root, "bootstrap")
	info, err := os.Stat(path)
	switch {
	case err != nil || info.IsDir():
		return "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
	case info.Mode()&0o001 == 0:
		return "fork/exec /var/task/bootstrap: permission denied"
	}
	file, err := elf.Open(path)
	if err != nil {
		return "" // a script, or nothing that runs: starting it tells
	}
	defer file.Close()
	machine := map[elf.Machine]string{elf.EM_X86_64: "x86_64", elf.EM_AARCH64: "arm64"}[file.Machine]
	if wanted := d.config.Architectures[0]; machine != wanted {
		return "fork/exec /var/task/bootstrap: exec format error"
	}
	if machine != architecture() {
		return fmt.Sprintf("fork/exec /var/task/bootstrap: exec format error (the stand-in's host is %s)", architecture())
	}
	return ""
}
