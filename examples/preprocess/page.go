package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gowren/gowren/mlops/preprocess"
)

// page is the file for the report, which is opened before the work. The nil one is none.
type page struct {
	file  *os.File
	fresh bool // it was not there before
}

func newPage(path string) (*page, error) {
	if path == "" {
		return nil, nil
	}
	_, err := os.Stat(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("preprocess: -report: %w", err)
	}
	if err := replaceable(f); err != nil {
		return nil, fmt.Errorf("preprocess: -report: %w", errors.Join(err, f.Close()))
	}
	return &page{f, fresh}, nil
}

// replaceable returns an error where a file holds something else than a page, as rows.
func replaceable(f *os.File) error {
	const begin = "<!doctype html>"
	b := make([]byte, len(begin))
	n, err := f.ReadAt(b, 0)
	if n > 0 && !strings.EqualFold(string(b[:n]), begin) {
		return fmt.Errorf("%s is there, and is no page: it is not overwritten", f.Name())
	}
	if err == io.EOF || n == 0 { // or what cannot be read, as a terminal
		return nil
	}
	return err
}

// write writes the report, and tells where it is.
func (p *page) write(w io.Writer, d *preprocess.Description, title string) error {
	if p == nil {
		return nil
	}
	if info, err := p.file.Stat(); err == nil && info.Mode().IsRegular() {
		if err := p.file.Truncate(0); err != nil {
			return fmt.Errorf("preprocess: -report: %w", err)
		}
	}
	if err := d.WritePage(p.file, title); err != nil {
		return err
	}
	p.fresh = false
	path, err := filepath.Abs(p.file.Name())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nreport: %s\n", path)
	return err
}

// close closes the file. After a failure there is none that was not there before, unless the report was written.
func (p *page) close(done bool) error {
	if p == nil {
		return nil
	}
	err := p.file.Close()
	if !done && p.fresh {
		err = errors.Join(err, os.Remove(p.file.Name()))
	}
	return err
}
