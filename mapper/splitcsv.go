package mapper

import (
	"context"
	"fmt"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/storage"
)

// SplitCSV is [storage.Splits] for objects of CSV whose quoted fields may hold newlines: the workers read all of it once
// and count its quotes, so that [storage.CSV] knows at each split whether it begins in a field, where it would otherwise
// read the object from its beginning for each. Objects of one split are not read.
func SplitCSV(ctx context.Context, ex *Executor, url string, size int64) ([]storage.Split, error) {
	splits, err := storage.Splits(ctx, url, size)
	if err != nil {
		return nil, fmt.Errorf("mapper: split CSV: %w", err)
	}
	var ask []storage.Split
	var which []int
	for i, s := range splits {
		if s.Off+s.Len < s.Size { // what comes after the last one is nobody's question
			ask, which = append(ask, s), append(which, i)
		}
	}
	found, err := Map(ctx, ex, Function[storage.Split, int64]{f: countQuotes}, ask)
	if err != nil {
		return nil, err
	}
	counts := make([]int64, len(splits))
	for i, n := range found {
		counts[which[i]] = n
	}
	return storage.SetQuotes(splits, counts)
}

// countQuotes is the map step of SplitCSV.
var countQuotes = builtin(&registry.Function{Name: "gowren/quotes", Types: "quotes", Call: plain(storage.CountQuotes)})

// builtin registers a function of this package. A slash parts its name from users'.
func builtin(f *registry.Function) *registry.Function {
	f.Where = "package mapper"
	registry.Add(f)
	return f
}
