package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/mlops/preprocess"
	"github.com/gowren/gowren/storage/filestore"
)

// check finds what is wrong with the flags alone.
func (s *settings) check() error {
	for _, in := range s.inputs {
		if strings.HasPrefix(in, "-") {
			return fmt.Errorf("preprocess: %q comes after a file: flags come first; a file of such a name is ./%s", in, in)
		}
	}
	if err := s.together(); err != nil {
		return err
	}
	if s.most < 0 {
		return fmt.Errorf("preprocess: -most %d: it is 0 for all, or more", s.most)
	}
	if s.bits < 1 || s.bits > 30 {
		return fmt.Errorf("preprocess: -bits %d: it is 1 to 30", s.bits)
	}
	if err := dataset.Policy(s.infinite).Check(); err != nil {
		return fmt.Errorf("preprocess: -infinite: %w", err)
	}
	var err error
	if s.unread, err = columns("ignore", s.ignore); err != nil {
		return err
	}
	if s.verbatim, err = columns("text", s.words); err != nil {
		return err
	}
	if s.label != "" && slices.Contains(s.unread, s.label) {
		return fmt.Errorf("preprocess: -label and -ignore both name the column %q", s.label)
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

// columns are the names that a flag parts by commas.
func columns(flag, names string) ([]string, error) {
	if names == "" {
		return nil, nil
	}
	all, err := csv.NewReader(strings.NewReader(names)).Read()
	if err != nil {
		return nil, fmt.Errorf("preprocess: -%s: %w", flag, err)
	}
	return all, nil
}

// together returns an error where a flag says nothing to what another one asks for.
func (s *settings) together() error {
	for _, f := range []struct {
		flag, of, is string
		with         []string
	}{
		{"comma", "format", s.format, []string{dataset.CSV}},
		{"text", "format", s.format, []string{dataset.CSV}},
		{"no-header", "format", s.format, []string{dataset.CSV}},
		{"multiline", "format", s.format, []string{dataset.CSV}},
		{"bits", "strings", s.text, []string{"hash"}},
		{"most", "strings", s.text, []string{"onehot", "ordinal"}},
	} {
		if s.given[f.flag] && !slices.Contains(f.with, f.is) {
			return fmt.Errorf("preprocess: -%s is for -%s %s, and not for %q", f.flag, f.of, strings.Join(f.with, " or "), f.is)
		}
	}
	return nil
}

// usable returns an error where no model can be trained of what there is, with what the user can do.
func (s *settings) usable(told *preprocess.Description) error {
	if told.Rows == 0 {
		return errors.New("preprocess: there are no rows")
	}
	for _, c := range told.Columns {
		switch {
		case c.Role == dataset.Label && c.Missing == told.Rows:
			return fmt.Errorf("preprocess: -label: column %q has no value at all", c.Name)
		case c.Role == dataset.Label && c.Missing > 0 && !s.skip:
			return fmt.Errorf("preprocess: -label: in %s column %q has no value: -skip leaves them out", count(c.Missing, "row"), c.Name)
		case c.Role == dataset.Feature && c.Kind == dataset.Number && c.Count == 0 && (s.missing == "mean" || s.missing == "median"):
			return fmt.Errorf("preprocess: column %q has no value, and so no %s: leave it out with -ignore, or take -missing zero or none", c.Name, s.missing)
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
