package preprocess_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/mlops/dataset/real"
	"github.com/gowren/gowren/mlops/preprocess"
	"github.com/gowren/gowren/storage/memstore"
)

// The classes of a label, and a vector of a category.
func ExampleOneHot() {
	ctx := context.Background()
	bucket := memstore.New()
	defer memstore.Delete(bucket.Name())
	penguins := real.Penguins()
	if err := bucket.Put(ctx, "penguins.csv", bytes.NewReader(penguins.CSV)); err != nil {
		log.Fatal(err)
	}
	source := dataset.Source{URLs: []string{bucket.URL() + "/penguins.csv"}, Format: dataset.Format{Name: dataset.CSV}, Schema: penguins.Schema}
	parts, err := source.Parts(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fitted, err := preprocess.Pipeline{
		preprocess.Ordinal{Columns: []string{"species"}, Sorted: true},
		preprocess.OneHot{Columns: []string{"island", "sex"}, Missing: true},
	}.FitBlocks(source.Schema, source.Blocks(ctx, parts[0]))
	if err != nil {
		log.Fatal(err)
	}
	for _, column := range []string{"species", "island", "sex"} {
		fmt.Println(column, fitted.Values(column))
	}
	// Output:
	// species [Adelie Chinstrap Gentoo]
	// island [Biscoe Dream Torgersen missing]
	// sex [male female missing]
}
