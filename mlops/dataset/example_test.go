package dataset_test

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"slices"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
)

var numbers = dataset.Schema{Columns: []dataset.Column{
	{Name: "number", Kind: dataset.Number},
	{Name: "odd", Kind: dataset.Number, Role: dataset.Label},
}}

// writeNumbers is a task: it stores the numbers from some hundred on.
var writeNumbers = mapper.Func("writeNumbers", func(ctx context.Context, hundred int) (_ []dataset.Shard, err error) {
	bucket, err := storage.Open(ctx, "mem://numbers")
	if err != nil {
		return nil, err
	}
	defer bucket.Close()
	w, err := dataset.NewWriter(ctx, bucket, "first-job", dataset.WriterOptions{Schema: numbers, GroupRows: 32})
	if err != nil {
		return nil, err
	}
	for x := 100 * hundred; x < 100*hundred+100 && err == nil; x++ {
		err = w.Write(&dataset.Batch{Rows: 1, Width: 1, Values: []float32{float32(x)}, Labels: []float32{float32(x % 2)}})
	}
	shards, stored := w.Close()
	return shards, cmp.Or(err, stored)
})

// Tasks write shards, the driver commits them, and anyone reads them in minibatches.
func Example() {
	ctx := context.Background()
	ex, err := mapper.Open(ctx, mapper.Config{Backend: "inproc", Storage: "mem://work"})
	if err != nil {
		log.Fatal(err)
	}
	defer ex.Close()
	shards, err := mapper.Map(ctx, ex, writeNumbers, []int{0, 1, 2})
	if err == nil {
		_, err = dataset.Commit(ctx, "mem://numbers", "first-job", numbers, slices.Concat(shards...))
	}
	if err != nil {
		log.Fatal(err)
	}

	set, err := dataset.Open(ctx, "mem://numbers")
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	for batch, err := range set.Batches(ctx, dataset.BatchOptions{Size: 120, Shuffle: true, Seed: 42}) {
		if err != nil {
			log.Fatal(err)
		}
		odd := 0
		for _, label := range batch.Labels {
			odd += int(label)
		}
		fmt.Println(batch.Rows, "rows,", odd, "odd, the first is", batch.Dense(0)[0])
	}
	// Output:
	// 120 rows, 58 odd, the first is 231
	// 120 rows, 60 odd, the first is 261
	// 60 rows, 32 odd, the first is 14
}
