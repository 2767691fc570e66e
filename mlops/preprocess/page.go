package preprocess

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/gowren/gowren/mlops/dataset"
)

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"short":   short,
	"count":   grouped,
	"about":   func(c ColumnDescription) string { return c.about() },
	"share":   share,
	"bars":    func(h *Histogram) []bar { return h.bars() },
	"strings": func(c ColumnDescription) []bar { return c.bars() },
	"text":    func(n *NumbersDescription, x Float) string { return n.text(x) },
	"rows":    rowsText,
	"at":      func(n *NumbersDescription, q float64) string { return n.at(q) },
	"percent": func(x float64) string { return strconv.FormatFloat(100*x, 'g', 2, 64) },
	"reasons": func(s dataset.Skipped) []string { return slices.Sorted(maps.Keys(s)) },
}).Parse(pageHTML))

// WritePage writes the description as one HTML page, which asks for nothing else: a row for each column, with a histogram of
// numbers, and with bars for the most frequent strings. A ~ is before a count that is an estimate.
func (d *Description) WritePage(w io.Writer, title string) error {
	var b bytes.Buffer
	if err := page.Execute(&b, struct {
		Title string
		*Description
	}{title, d}); err != nil {
		return fmt.Errorf("preprocess: page: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("preprocess: page: %w", err)
	}
	return nil
}

// The size of a histogram, in pixels.
const (
	barsWidth  = 160
	barsHeight = 36
)

// bar is one of a small drawing.
type bar struct {
	X, Y, Width, Height float64
	Text                string // what it is, as its title
}

// bars are those of a histogram: a value that is there at all is seen.
func (h *Histogram) bars() []bar {
	most := slices.Max(append([]int64{1}, h.Counts...))
	width := float64(barsWidth) / float64(max(len(h.Counts), 1))
	step := (float64(h.High) - float64(h.Low)) / float64(max(len(h.Counts), 1))
	all := make([]bar, 0, len(h.Counts))
	precision := digits(h.Low, h.Low+Float(step), h.High-Float(step), h.High)
	text := func(x float64) string { return strconv.FormatFloat(x, 'g', precision, 64) }
	for i, n := range h.Counts {
		height := float64(n) / float64(most) * barsHeight
		if n > 0 {
			height = max(height, 1)
		}
		from := float64(h.Low) + float64(i)*step
		all = append(all, bar{float64(i) * width, barsHeight - height, max(width-1, 0.5), height, fmt.Sprintf("%s to %s: %s", text(from), text(from+step), grouped(n))})
	}
	return all
}

// bars are those of the most frequent strings, the longest of which is the most frequent.
func (c ColumnDescription) bars() []bar {
	const height, most = 12, 3
	var all []bar
	for i, f := range c.Frequent[:min(len(c.Frequent), most)] {
		width := float64(f.Count) / float64(max(c.Frequent[0].Count, 1)) * barsWidth
		all = append(all, bar{0, float64(i * height), max(width, 1), height - 1, fmt.Sprintf("%s: %s", cell(f.Value), grouped(f.Count))})
	}
	return all
}

// grouped writes a number with a thin space after each three digits.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	var out []byte
	for i, c := range []byte(s) {
		if left := len(s) - i; i > 0 && left%3 == 0 && s[i-1] != '-' {
			out = append(out, "\u202f"...)
		}
		out = append(out, c)
	}
	return string(out)
}

// share is a part of all, in percent.
func share(part, rest int64) string {
	if part+rest == 0 || part == 0 {
		return ""
	}
	return strconv.FormatFloat(100*float64(part)/float64(part+rest), 'f', 1, 64) + " %"
}
