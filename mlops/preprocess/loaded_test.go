package preprocess

import (
	"strings"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
)

// FuzzLoaded applies saved pipelines of any kind: they are refused, or work, or fail.
func FuzzLoaded(f *testing.F) {
	c := columnOf("s", "x", nil, "y z").add("n", dataset.Number, 1.0, nil, 2.0).add("text", dataset.String, "aa bb", "é", nil)
	for _, steps := range []Pipeline{
		{OneHot{Columns: []string{"s", "n"}, Missing: true}, Words{Column: "text"}},
		{Ordinal{Columns: []string{"s", "n"}}, TFIDF{Words: Words{Column: "text", NGrams: 2}}},
		{Hash{Bits: 8}}, {HashWords{Column: "text", Bits: 8}, Hash{Columns: []string{"s", "n"}}},
	} {
		var saved strings.Builder
		fitted, err := steps.FitBlocks(c.Schema, c.blocks(2))
		if err == nil {
			err = fitted.Save(&saved)
		}
		if err != nil {
			f.Fatal(err)
		}
		f.Add(saved.String())
	}
	f.Fuzz(func(t *testing.T, saved string) {
		fitted, err := Load(strings.NewReader(saved))
		if err != nil || len(fitted.In().Columns) != len(c.Columns) {
			return
		}
		for i := range c.Columns {
			if fitted.In().Columns[i].Kind != c.Columns[i].Kind {
				return
			}
		}
		b := c.block([]int{0, 1, 2})
		if err := fitted.Apply(b); err == nil && len(b.Columns) != len(fitted.Out().Columns) {
			t.Fatalf("%d columns, and the schema has %d", len(b.Columns), len(fitted.Out().Columns))
		}
	})
}
