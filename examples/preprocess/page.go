package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

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
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("preprocess: -report: %w", err)
	}
	return &page{f, fresh}, nil
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
