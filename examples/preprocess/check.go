package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage/filestore"
)

// check finds what is wrong with the flags alone.
func (s *settings) check() error {
	for _, in := range s.inputs {
		if strings.HasPrefix(in, "-") {
			return fmt.Errorf("preprocess: %q comes after a file: flags come first; a file of such a name is ./%s", in, in)
		}
	}
	if s.comma == `\t` {
		s.comma = "\t"
	}
	for flag, choice := range map[string]struct {
		name  string
		known steps
	}{"numbers": {s.scaling("standard"), numberSteps()}, "missing": {s.missing, missingSteps()}, "strings": {s.text, s.stringSteps(nil)}} {
		if _, err := choice.known.of(choice.name, flag); err != nil {
			return err
		}
	}
	return nil
}

// vacant returns an error where no shards can be stored: there are some already, or the place cannot be reached.
func vacant(ctx context.Context, to string) error {
	some := dataset.Schema{Columns: []dataset.Column{{Name: "any", Kind: dataset.Number}}} // that of the shards is not known yet
	if err := dataset.Vacant(ctx, to, some); err != nil {
		return fmt.Errorf("preprocess: -to: %w", err)
	}
	return nil
}

// expand returns the URLs that an argument stands for: of a path with * or ? or [ those of the files that match, as a shell does
// where it is not quoted.
func expand(place string) ([]string, error) {
	if strings.Contains(place, "://") || !strings.ContainsAny(place, "*?[") {
		return []string{locate(place)}, nil
	}
	if _, err := os.Lstat(place); err == nil {
		return []string{locate(place)}, nil
	}
	files, err := filepath.Glob(place)
	if err != nil {
		return nil, fmt.Errorf("preprocess: %q: %w", place, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("preprocess: no file matches %q: %w", place, fs.ErrNotExist)
	}
	for i, file := range files {
		files[i] = locate(file)
	}
	return files, nil
}

// locate makes a URL of a path.
func locate(place string) string {
	if strings.Contains(place, "://") {
		return place
	}
	return filestore.URL(place)
}
