package preprocess

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	x := numbersTable("abcd", []float64{1, 2, 3, 4, nan}, []float64{7, 7, 7, 7, 7}, []float64{nan, nan, nan, nan, nan}, []float64{-inf, inf, 0, 1, 20})
	x.words = []string{"u", "v", "u", "", "long\x00" + strings.Repeat("é", 30)}
	d, err := DescribeBlocks(x.schema(), x.blocks(2))
	if err != nil {
		t.Fatal(err)
	}
	if d.Rows != 5 || d.Sampled != 5 || d.RankError != 0 || len(d.Columns) != 5 {
		t.Fatalf("%+v", d)
	}
	a, b, c, e, w := d.Columns[0], d.Columns[1], d.Columns[2], d.Columns[3], d.Columns[4]
	if n := a.Numbers; a.Count != 4 || a.Missing != 1 || a.Distinct != 4 || n.Min != 1 || n.Max != 4 || n.Mean != 2.5 || math.Abs(float64(n.Deviation)-math.Sqrt(1.25)) > 1e-15 || n.Quantiles[3].Value != 2.5 {
		t.Errorf("%+v %+v", a, n)
	}
	if h := a.Numbers.Histogram; h.Low != 1 || h.High != 4 || len(h.Counts) != 20 || h.Counts[0] != 1 || h.Counts[6] != 1 || h.Counts[13] != 1 || h.Counts[19] != 1 {
		t.Errorf("%+v", h)
	}
	if n := b.Numbers; b.Distinct != 1 || n.Deviation != 0 || n.Histogram.Counts[0] != 5 {
		t.Errorf("%+v %+v", b, n)
	}
	if c.Count != 0 || c.Missing != 5 || c.Distinct != 0 || c.Numbers != nil {
		t.Errorf("%+v", c)
	}
	if n := e.Numbers; !math.IsInf(float64(n.Min), -1) || !math.IsNaN(float64(n.Mean)) || n.Histogram.High != 20 {
		t.Errorf("%+v", n)
	}
	if w.Count != 4 || w.Missing != 1 || w.Distinct != 3 || w.Bytes != 68 || len(w.Frequent) != 3 || w.Frequent[0] != (Frequent{"u", 2}) {
		t.Errorf("%+v", w)
	}
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var back Description
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("%s\nand\n%s\n%v", data, again, err)
	}
	d.Skipped = map[string]int64{"number": 3}
	d.RankError = .01
	d.Columns[4].Role, d.Columns[0].Distinct, d.Columns[0].Estimated = dataset.Label, 1234, true
	var text bytes.Buffer
	if err := d.WriteTable(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"column           kind  count  missing   min   max  mean  deviation  25 %  50 %  75 %  distinct  most frequent\n",
		"a              number      4        1     1     4   2.5      1.118  1.75   2.5  3.25     ~1234",
		"c              number      0        5\n", "word    string, label      4        1", "3          u (2)\n", "5 rows; quantiles are of 5, and their ranks within 1.0 %; left out for number: 3\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	if err := d.WriteTable(full{}); err == nil {
		t.Error("a writer that is full")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("full") }

// TestDescribeJob holds that a job tells what one process does.
func TestDescribeJob(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	src := csvOf(t, ex, "in", 400, rand.New(rand.NewPCG(15, 16)))
	want, err := DescribeBlocks(src.Schema, all(t.Context(), src))
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []bool{true, false} {
		if !words {
			src.Schema.Columns = src.Schema.Columns[:2]
			want.Columns = want.Columns[:2]
		}
		for _, split := range []int64{0, 3000} {
			src.Split = split
			got, err := Describe(t.Context(), ex, src)
			if err != nil {
				t.Fatal(err)
			}
			a, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(got)
			if err != nil || !bytes.Equal(a, b) && words {
				t.Errorf("%s\nand\n%s\n%v", a, b, err)
			}
		}
	}
}

func TestDescribeVectors(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, sparse := range []bool{false, true} {
		f := newDescribing(vectorSchema)
		for _, b := range vectorBlocks(sparse) {
			if err := f.See(vectorSchema, b); err != nil {
				t.Fatal(err)
			}
		}
		d := f.description(vectorSchema)
		if c := d.Columns[0]; c.Count != 8 || c.Missing != 1 || c.Numbers.Min != -8 || c.Numbers.Max != 4 || c.Numbers.Mean != -.25 || d.Sampled != 0 {
			t.Errorf("%+v %+v", c, c.Numbers)
		}
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] {
		t.Error(texts)
	}
}

// TestDistinct holds the error that is documented, and that there is none where few values are: of 40 estimates, none is off by 5 standard errors, and half by about 1.
func TestDistinct(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 10, 1000, 1024, 1025, 5000, 20000, 200000} {
		squares := 0.
		for seed := range uint64(5) {
			d := newDistinct()
			for i := range n {
				h := mix(uint64(i) + seed<<32)
				d.add(h)
				d.add(h)
			}
			off := (d.count() - float64(n)) / float64(max(n, 1))
			if math.Abs(off) > .08 || d.exact() != (n <= distinctKept) || d.exact() && off != 0 {
				t.Errorf("%d values: %.1f", n, d.count())
			}
			squares += off * off
		}
		if off := math.Sqrt(squares / 5); off > .032 {
			t.Errorf("%d values: off by %.3f", n, off)
		}
	}
	d := newDistinct()
	d.add(0)
	d.add(math.MaxUint64)
	if d.estimate(); d.runs[0] != 64-distinctBits+1 || d.runs[distinctRegisters-1] != 1 {
		t.Errorf("runs of %d and %d", d.runs[0], d.runs[distinctRegisters-1])
	}
	if err := d.merge(nil); err == nil {
		t.Error("merged with nothing")
	}
}
