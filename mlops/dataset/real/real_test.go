package real_test

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/mlops/dataset/real"
)

// TestTables reads all tables: their headers are their schemas', each field is of its column's kind, and what is known of
// them holds.
func TestTables(t *testing.T) {
	t.Parallel()
	want := map[string]struct {
		labels  map[string]int
		missing int
		column  string
		mean    float64
	}{
		"digits":       {map[string]int{"0": 178, "1": 182, "2": 177, "3": 183, "4": 181, "5": 182, "6": 181, "7": 179, "8": 174, "9": 180}, 0, "p10", 10.3823},
		"breastcancer": {map[string]int{"malignant": 212, "benign": 357}, 0, "mean_radius", 14.1273},
		"penguins":     {map[string]int{"Adelie": 152, "Chinstrap": 68, "Gentoo": 124}, 19, "body_mass_g", 4201.7544},
	}
	for _, table := range real.Tables() {
		if err := table.Schema.Check(); err != nil {
			t.Fatalf("%s: %v", table.Name, err)
		}
		rows, err := csv.NewReader(bytes.NewReader(table.CSV)).ReadAll()
		if err != nil || len(rows) != table.Rows+1 {
			t.Fatalf("%s: %d rows, %v", table.Name, len(rows)-1, err)
		}
		labels, missing, sum, n := map[string]int{}, 0, 0.0, 0
		for i, name := range rows[0] {
			if table.Schema.Index(name) != i {
				t.Errorf("%s: column %d is %q", table.Name, i, name)
			}
		}
		for _, row := range rows[1:] {
			for i, c := range table.Schema.Columns {
				if c.Role == dataset.Label {
					labels[row[i]]++
				}
				if row[i] == "NA" {
					missing++
					continue
				}
				x, err := strconv.ParseFloat(row[i], 64)
				if (err == nil) != (c.Kind == dataset.Number) {
					t.Fatalf("%s: column %q is a %s, and there is %q", table.Name, c.Name, c.Kind, row[i])
				}
				if c.Name == want[table.Name].column {
					sum += x
					n++
				}
			}
		}
		w := want[table.Name]
		if missing != w.missing {
			t.Errorf("%s: %d missing", table.Name, missing)
		}
		for label, count := range w.labels {
			if labels[label] != count {
				t.Errorf("%s: %d rows of %q, want %d", table.Name, labels[label], label, count)
			}
		}
		if mean := sum / float64(n); mean-w.mean > 1e-4 || w.mean-mean > 1e-4 {
			t.Errorf("%s: the mean of %s is %.4f, want %.4f", table.Name, w.column, mean, w.mean)
		}
	}
}
