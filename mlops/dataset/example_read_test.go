package dataset_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage/memstore"
)

func ExampleSource_Read() {
	ctx := context.Background()
	b := memstore.New()
	defer memstore.Delete(b.Name())
	err := b.Put(ctx, "people.csv", strings.NewReader("city,age\nTartu,31\nNarva,NA\nParis,old\n"))
	if err != nil {
		log.Fatal(err)
	}
	src := dataset.Source{
		URLs:   []string{b.URL()},
		Format: dataset.Format{Name: dataset.CSV, Bad: dataset.Skip},
		Schema: dataset.Schema{Columns: []dataset.Column{{Name: "age", Kind: dataset.Number}, {Name: "city", Kind: dataset.String}}},
	}
	parts, err := src.Parts(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range parts { // or in a task each
		r := src.Read(p)
		for block, err := range r.Blocks(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			for row := range block.Rows {
				fmt.Printf("%s %v\n", block.Columns[1].Strings.At(row), block.Columns[0].Numbers[row])
			}
		}
		fmt.Println("skipped:", r.Skipped())
	}
	// Output:
	// Tartu 31
	// Narva NaN
	// skipped: map[number:1]
}
