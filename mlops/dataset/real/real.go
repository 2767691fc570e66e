// Package real carries small tables of real data, for examples and tests that need nothing but Go: about 200 KB. The README
// beside it says whose they are, and under which licences.
package real

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the tables
	"io"
	"strings"

	"github.com/gowren/gowren/mlops/dataset"
)

var (
	//go:embed data/digits.csv.gz
	digits []byte
	//go:embed data/breastcancer.csv
	breastCancer []byte
	//go:embed data/penguins.csv
	penguins []byte
)

// Table is a table as CSV, with a header of the schema's columns in their order.
type Table struct {
	Name   string
	Rows   int
	Schema dataset.Schema
	CSV    []byte // missing values are NA
}

// Tables are all of them.
func Tables() []Table { return []Table{Digits(), BreastCancer(), Penguins()} }

// Digits are 1,797 images of handwritten digits: 8 by 8 shades from 0 to 16, and as the label the digit, a number.
func Digits() Table {
	z, err := gzip.NewReader(bytes.NewReader(digits))
	var text []byte
	if err == nil {
		text, err = io.ReadAll(z)
	}
	if err != nil {
		panic("real: the digits in this program are damaged: " + err.Error()) // it was built with them
	}
	return table("digits", 1797, text, "digit")
}

// BreastCancer are 569 diagnoses, "malignant" or "benign", which is the label, and 30 measures of the cells' nuclei.
func BreastCancer() Table {
	return table("breastcancer", 569, breastCancer, "diagnosis", "diagnosis")
}

// Penguins are 344 penguins: the species, which is the label, the island, the sex, the year, and 4 measures, of which some
// are missing.
func Penguins() Table {
	return table("penguins", 344, penguins, "species", "species", "island", "sex")
}

// table makes a table of CSV without quotes, of columns of numbers but for those of strings.
func table(name string, rows int, text []byte, label string, strs ...string) Table {
	t := Table{Name: name, Rows: rows, CSV: text}
	header, _, _ := strings.Cut(string(text[:min(len(text), 4096)]), "\n")
	for name := range strings.SplitSeq(header, ",") {
		c := dataset.Column{Name: name, Kind: dataset.Number}
		for _, s := range strs {
			if s == name {
				c.Kind = dataset.String
			}
		}
		if name == label {
			c.Role = dataset.Label
		}
		t.Schema.Columns = append(t.Schema.Columns, c)
	}
	return t
}
