package preprocess

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/gowren/gowren/mlops/dataset"
)

// WriteTable writes the description as text: a line for each column, and then how many rows were left out. With the kind of a column
// is its role, as "string, label", and ~ is before a count that is an estimate.
func (d *Description) WriteTable(w io.Writer) error {
	var b bytes.Buffer
	var lines []string
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	width := len("column")
	for _, c := range d.Columns {
		width = max(width, utf8.RuneCountInString(cell(c.Name)))
	}
	line := func(name string, cells ...string) {
		name += strings.Repeat(" ", width-utf8.RuneCountInString(name)) // names begin alike, numbers end alike
		lines = append(lines, name+"\t"+strings.Join(cells, "\t")+"\t\n")
	}
	line("column", "kind", "count", "missing", "min", "max", "mean", "deviation", "25 %", "50 %", "75 %", "distinct", "most frequent")
	for _, c := range d.Columns {
		cells := []string{c.kind(), strconv.FormatInt(c.Count, 10), strconv.FormatInt(c.Missing, 10)}
		if n := c.Numbers; n != nil {
			cells = append(cells, n.text(n.Min), n.text(n.Max), n.text(n.Mean), short(n.Deviation))
			for _, q := range []float64{.25, .5, .75} {
				cells = append(cells, n.at(q))
			}
		} else {
			cells = append(cells, make([]string, 7)...)
		}
		distinct, frequent := "", ""
		if c.Distinct > 0 {
			distinct = c.about() + strconv.FormatInt(c.Distinct, 10)
		}
		if len(c.Frequent) > 0 {
			frequent = fmt.Sprintf("%s (%d)", cell(c.Frequent[0].Value), c.Frequent[0].Count)
		}
		line(cell(c.Name), append(cells, distinct, frequent)...)
	}
	_, err := io.WriteString(t, strings.Join(lines, ""))
	if err = errors.Join(err, t.Flush()); err != nil {
		return fmt.Errorf("preprocess: table: %w", err)
	}
	var out bytes.Buffer
	for text := range strings.Lines(b.String()) {
		out.WriteString(strings.TrimPrefix(strings.TrimRight(text, " \n"), "  ") + "\n")
	}
	fmt.Fprintf(&out, "%d %s", d.Rows, rowsText(d.Rows))
	if d.RankError > 0 {
		fmt.Fprintf(&out, "; quantiles are of %d, and their ranks within %.1f %%", d.Sampled, 100*d.RankError)
	}
	for _, reason := range slices.Sorted(maps.Keys(d.Skipped)) {
		fmt.Fprintf(&out, "; left out for %s: %d", reason, d.Skipped[reason])
	}
	fmt.Fprintln(&out)
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("preprocess: table: %w", err)
	}
	return nil
}

// kind is that of a column, and its role where it is no feature.
func (c ColumnDescription) kind() string {
	if c.Role == dataset.Feature {
		return string(c.Kind)
	}
	return fmt.Sprintf("%s, %s", c.Kind, c.Role)
}

// about marks a count of distinct values that is an estimate.
func (c ColumnDescription) about() string {
	if c.Estimated {
		return "~"
	}
	return ""
}

// at is a quantile as text.
func (n *NumbersDescription) at(q float64) string {
	for _, told := range n.Quantiles {
		if told.At == q {
			return n.text(told.Value)
		}
	}
	return ""
}

// text is a number of the column, with as many digits as tell the extremes and the mean apart, which may lie far from zero.
func (n *NumbersDescription) text(x Float) string {
	return strconv.FormatFloat(float64(x), 'g', digits(n.Min, n.Mean, n.Max), 64)
}

// digits is how many tell numbers apart that differ, five at least.
func digits(numbers ...Float) int {
	const least, most = 5, 17 // which is enough for any two
	for n := least; n < most; n++ {
		apart := true
		for i, x := range numbers {
			for _, y := range numbers[:i] {
				apart = apart && (x == y || x != x || y != y || strconv.FormatFloat(float64(x), 'g', n, 64) != strconv.FormatFloat(float64(y), 'g', n, 64))
			}
		}
		if apart {
			return n
		}
	}
	return most
}

func rowsText(n int64) string {
	if n == 1 {
		return "row"
	}
	return "rows"
}

func short(x Float) string { return strconv.FormatFloat(float64(x), 'g', 5, 64) }

// cell is text that fits in a line.
func cell(s string) string {
	const most = 24
	if !utf8.ValidString(s) || slices.ContainsFunc([]rune(s), func(r rune) bool { return !strconv.IsPrint(r) }) {
		s = strconv.Quote(s)
	}
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most-1]) + "…"
	}
	return s
}
