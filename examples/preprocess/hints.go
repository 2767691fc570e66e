package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/mlops/preprocess"
)

// hints are the flags that help where an error of reading CSV says so. Those of workers come as text.
var hints = []struct {
	says *regexp.Regexp
	hint string // %s is the column that it names
}{
	{regexp.MustCompile(`column ("(?:[^"\\]|\\.)*"): .* is no number`), "-text %s reads the column as strings, -na tells what missing values look like, -skip leaves such rows out"},
	{regexp.MustCompile(`is infinite, or too large`), "-infinite missing or -infinite keep takes it, -skip leaves such rows out"},
	{regexp.MustCompile(`the header of .* cannot be used`), "-no-header is for a first row that has no names"},
	{regexp.MustCompile(`a quote inside|follows a field's quote|\d+ fields, and not`), "-skip leaves such rows out"},
	{regexp.MustCompile(`is not closed in its line`), "-multiline takes it, -skip leaves such rows out"},
}

// hinted adds to an error which flag helps.
func (s *settings) hinted(err error) error {
	if err == nil || s.format != dataset.CSV {
		return err
	}
	for _, h := range hints {
		found := h.says.FindStringSubmatch(err.Error())
		switch {
		case found == nil:
		case len(found) == 1:
			return fmt.Errorf("%w: %s", err, h.hint)
		default:
			column, bad := strconv.Unquote(found[1])
			if bad != nil {
				return err
			}
			return fmt.Errorf("%w: "+h.hint, err, argument(column))
		}
	}
	return err
}

// argument is a column's name as -text and -ignore take it.
func argument(name string) string {
	if strings.ContainsAny(name, ",\" ") {
		return `'"` + strings.ReplaceAll(name, `"`, `""`) + `"'`
	}
	return name
}

// notes tells of what may not be as it is meant.
func (s *settings) notes(w io.Writer, told *preprocess.Description) error {
	var notes []string
	left := int64(0)
	for _, n := range told.Skipped {
		left += n
	}
	if left > told.Rows {
		notes = append(notes, fmt.Sprintf("more rows are left out (%d) than there are left (%d): without -skip the first one is an error that tells why", left, told.Rows))
	}
	named := func(c preprocess.ColumnDescription) bool { return isNumber(c.Name) }
	if s.format == dataset.CSV && !s.headless && len(told.Columns) > 0 && !slices.ContainsFunc(told.Columns, func(c preprocess.ColumnDescription) bool { return !named(c) }) {
		notes = append(notes, "all columns are named by numbers: where the first row has no names, say -no-header")
	}
	for _, c := range told.Columns {
		if c.Kind == dataset.String && !slices.Contains(s.verbatim, c.Name) && numeric(c.Frequent) {
			notes = append(notes, fmt.Sprintf("column %q is of strings, for some of its values are no numbers, and yet most are: -na tells what missing values look like; -text %s is for what is meant so", c.Name, argument(c.Name)))
		}
	}
	for _, note := range notes {
		if _, err := fmt.Fprintf(w, "note: %s\n", note); err != nil {
			return err
		}
	}
	return nil
}

// numeric reports whether most of the frequent values are numbers.
func numeric(values []preprocess.Frequent) bool {
	all, numbers := int64(0), int64(0)
	for _, v := range values {
		all += v.Count
		if isNumber(v.Value) {
			numbers += v.Count
		}
	}
	return 2*numbers > all
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return err == nil
}

// features returns an error where a model is told nothing.
func (s *settings) features(in dataset.Schema) error {
	for _, c := range in.Columns {
		if c.Role == dataset.Feature && (c.Kind != dataset.String || s.text != "drop") {
			return nil
		}
	}
	return errors.New("preprocess: no column is left that a model is told: -ignore, -label and -strings drop take them all")
}

// labelled is a pipeline that first leaves out rows without a label, where there are such.
func (s *settings) labelled(p preprocess.Pipeline, told *preprocess.Description) preprocess.Pipeline {
	for _, c := range told.Columns {
		if s.skip && c.Role == dataset.Label && c.Missing > 0 {
			return append(preprocess.Pipeline{preprocess.DropMissing{Columns: []string{c.Name}}}, p...)
		}
	}
	return p
}

// widths tells how many numbers come of which column, of the first ones and the last where there are many.
func widths(of dataset.Schema) string {
	const first, last = 6, 2
	var all []string
	for _, c := range of.Columns {
		if c.Role == dataset.Feature {
			all = append(all, fmt.Sprintf("%s %d", c.Name, max(c.Width, 1)))
		}
	}
	if len(all) > first+last+1 {
		all = slices.Replace(all, first, len(all)-last, "…")
	}
	return strings.Join(all, ", ")
}
