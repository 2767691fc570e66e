package preprocess

import (
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowren/gowren/internal/browser"
	"github.com/gowren/gowren/mlops/dataset"
)

// described is a description of columns with names that HTML must not take for its own.
func described() *Description {
	numbers := func(counts ...int64) *NumbersDescription {
		return &NumbersDescription{Min: -1, Max: 3, Mean: 1.5, Deviation: 0.25, Quantiles: []QuantileDescription{{.25, 1}, {.5, 1.25}, {.75, 2}}, Histogram: &Histogram{-1, 3, counts}}
	}
	return &Description{
		Rows: 12345, Sampled: 1000, RankError: 0.011, Skipped: dataset.Skipped{"number": 17},
		Columns: []ColumnDescription{
			{Name: "<script>alert(1)</script>", Kind: dataset.Number, Count: 12000, Missing: 345, Distinct: 11999, Estimated: true, Numbers: numbers(1, 50, 100, 0, 20)},
			{Name: "city", Kind: dataset.String, Role: dataset.Label, Count: 12345, Distinct: 2, Frequent: []Frequent{{"Ulm & <Umgebung>", 9000}, {"Bonn", 3345}}},
			{Name: "pixels", Kind: dataset.Vector, Width: 784, Count: 12345 * 784, Numbers: &NumbersDescription{Max: 255, Mean: 30, Deviation: 70}},
			{Name: "nothing", Kind: dataset.Number, Missing: 12345},
		},
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := described().WritePage(&b, "a <table>"); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"<title>a &lt;table&gt;</title>", "12\u202f345 rows, 4 columns", "17", "&lt;script&gt;alert(1)&lt;/script&gt;", "Ulm &amp; &lt;Umgebung&gt;: 9\u202f000",
		"345 (2.8 %)", "784 numbers", "1.25", "within 1.1 %", "<td>~11\u202f999", "<td>2<td>", "-0.2 to 0.6: 50",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(text, "<script") || strings.Contains(text, "http:") || strings.Contains(text, "https:") {
		t.Error("it asks for something else")
	}
	if err := described().WritePage(broken{}, ""); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	if err := new(Description).WritePage(&b, "of nothing"); err != nil {
		t.Error(err)
	}
}

var errBroken = errors.New("the disk is full")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// TestPageInBrowser: the table has a row for each column, and bars are seen, on light paper and on dark.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "page.html")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(described().WritePage(f, "rows"), f.Close()); err != nil {
		t.Fatal(err)
	}
	document := browser.Document(t, "file://"+file)
	if rows, cells, bars := strings.Count(document, "<tr>"), strings.Count(document, "<td"), strings.Count(document, "<rect"); rows != 1+4 || cells != 4*12 || bars != 5+2 {
		t.Errorf("%d rows, %d cells, %d bars", rows, cells, bars)
	}
	for _, dark := range []bool{false, true} {
		img := browser.Screenshot(t, "file://"+file, browser.Look{Width: 1280, Height: 500, Dark: dark})
		light, blue := pixels(img)
		if all := 1280 * 500; blue < 1500 || blue > all/10 || (light > all/2) == dark {
			t.Errorf("dark %v: of %d pixels %d are light, and %d are of bars", dark, all, light, blue)
		}
	}
}

// pixels counts those that are light, and those that are clearly blue.
func pixels(img image.Image) (light, blue int) {
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			switch {
			case r+g+b > 3*0xc000:
				light++
			case b > r+0x4000 && b > g+0x2000:
				blue++
			}
		}
	}
	return light, blue
}
