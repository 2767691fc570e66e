package preprocess_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/mlops/preprocess"
	"github.com/gowren/gowren/storage/memstore"
)

const people = `age,income,city,bought
30,1000,Bern,0
40,,Basel,1
,3000,Bern,1
50,2000,Bern,0
`

func Example() {
	ctx := context.Background()
	bucket := memstore.New()
	ex, err := mapper.New(ctx, inproc.New(0), bucket, mapper.Options{Quiet: true})
	if err != nil {
		log.Fatal(err)
	}
	defer ex.Close()
	if err := bucket.Put(ctx, "people.csv", strings.NewReader(people)); err != nil {
		log.Fatal(err)
	}
	source := dataset.Source{
		URLs: []string{bucket.URL() + "/people.csv"}, Format: dataset.Format{Name: dataset.CSV},
		Schema: dataset.Schema{Columns: []dataset.Column{
			{Name: "age", Kind: dataset.Number}, {Name: "income", Kind: dataset.Number}, {Name: "city", Kind: dataset.String},
			{Name: "bought", Kind: dataset.Number, Role: dataset.Label},
		}},
	}

	description, err := preprocess.Describe(ctx, ex, source)
	if err != nil {
		log.Fatal(err)
	}
	if err := description.WriteTable(os.Stdout); err != nil {
		log.Fatal(err)
	}

	p := preprocess.Pipeline{preprocess.Impute{With: preprocess.Median}, preprocess.MinMax{}, preprocess.Drop{Columns: []string{"city"}}}
	fitted, err := p.Fit(ctx, ex, source)
	if err != nil {
		log.Fatal(err)
	}
	data, err := fitted.Transform(ctx, ex, source, bucket.URL()+"/train", preprocess.TransformOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(data.Manifest.Rows, "rows are written")

	row, err := fitted.Row(map[string]any{"age": 35, "city": "Bern"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("a row becomes", row.Values)
	// Output:
	// column           kind  count  missing   min   max  mean  deviation  25 %  50 %  75 %  distinct  most frequent
	// age            number      3        1    30    50    40      8.165    35    40    45         3
	// income         number      3        1  1000  3000  2000      816.5  1500  2000  2500         3
	// city           string      4        0                                                        2       Bern (3)
	// bought  number, label      4        0     0     1   0.5        0.5     0   0.5     1         2
	// 4 rows
	// 4 rows are written
	// a row becomes [0.25 0.5]
}
