package storage_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// store keeps a text in memory, and returns its URL.
func store(ctx context.Context, name, text string) string {
	b, err := memstore.Open(name)
	if err != nil {
		panic(err)
	}
	if err := b.Put(ctx, "data", strings.NewReader(text)); err != nil {
		panic(err)
	}
	return b.URL() + "/data"
}

// Each split yields the lines that begin in it, so that three tasks count each line once.
func ExampleLines() {
	ctx := context.Background()
	splits, err := storage.Splits(ctx, store(ctx, "example-lines", "one\ntwo\r\nthree"), 5)
	if err != nil {
		panic(err)
	}
	for _, s := range splits {
		for line, err := range storage.Lines(ctx, s) {
			if err != nil {
				panic(err)
			}
			fmt.Printf("from byte %d on: %s\n", s.Off, line)
		}
	}
	// Output:
	// from byte 0 on: one
	// from byte 0 on: two
	// from byte 5 on: three
}

func ExampleDelimited() {
	ctx := context.Background()
	splits, err := storage.Splits(ctx, store(ctx, "example-delimited", "a poem\nof two lines\n\nanother"), 8)
	if err != nil {
		panic(err)
	}
	for _, s := range splits {
		for record, err := range storage.Delimited(ctx, s, []byte("\n\n")) {
			if err != nil {
				panic(err)
			}
			fmt.Printf("%q\n", record)
		}
	}
	// Output:
	// "a poem\nof two lines"
	// "another"
}

func ExampleRecords() {
	ctx := context.Background()
	splits, err := storage.Splits(ctx, store(ctx, "example-records", "2024-05-012024-06-022024-07-03"), 15)
	if err != nil {
		panic(err)
	}
	for _, s := range splits {
		for record, err := range storage.Records(ctx, s, len("2024-05-01")) {
			if err != nil {
				panic(err)
			}
			fmt.Printf("from byte %d on: %s\n", s.Off, record)
		}
	}
	// Output:
	// from byte 0 on: 2024-05-01
	// from byte 0 on: 2024-06-02
	// from byte 15 on: 2024-07-03
}

// The header comes with every row, and a quoted field may span splits. What is bad is skipped here, and counted.
func ExampleCSV() {
	ctx := context.Background()
	text := "city,note\nOslo,\"two\nlines\"\nRome\nBern,\"\"\"quoted\"\"\"\n"
	splits, err := storage.Splits(ctx, store(ctx, "example-csv", text), 16)
	if err != nil {
		panic(err)
	}
	skipped := 0
	for _, s := range splits {
		for row, err := range storage.CSV(ctx, s, storage.CSVOptions{Skip: func(error) { skipped++ }}) {
			if err != nil {
				panic(err)
			}
			note, _ := row.Get("note")
			fmt.Printf("%s: %q\n", row.Fields[0], note)
		}
	}
	fmt.Println(skipped, "skipped")
	// Output:
	// Oslo: "two\nlines"
	// Bern: "\"quoted\""
	// 1 skipped
}

// Where a large object of CSV is cut into many splits, the quotes are counted first, which can be done in as many tasks.
func ExampleSetQuotes() {
	ctx := context.Background()
	splits, err := storage.Splits(ctx, store(ctx, "example-quotes", "a\n\"\n\n\n\"\nb\n"), 4)
	if err != nil {
		panic(err)
	}
	counts := make([]int64, len(splits))
	for i, s := range splits {
		if counts[i], err = storage.CountQuotes(ctx, s); err != nil {
			panic(err)
		}
	}
	if splits, err = storage.SetQuotes(splits, counts); err != nil {
		panic(err)
	}
	for _, s := range splits {
		fmt.Println(s.Off, s.Quotes == storage.QuotesOdd)
	}
	// Output:
	// 0 false
	// 4 true
	// 8 false
}

func ExampleJSONLines() {
	ctx := context.Background()
	type visit struct {
		Page    string `json:"page"`
		Seconds int    `json:"seconds"`
	}
	text := `{"page": "/", "seconds": 4}` + "\n\n" + `{"page": "/about", "seconds": 7}` + "\n"
	splits, err := storage.Splits(ctx, store(ctx, "example-jsonlines", text), 20)
	if err != nil {
		panic(err)
	}
	for _, s := range splits {
		for v, err := range storage.JSONLines[visit](ctx, s) {
			if err != nil {
				panic(err)
			}
			fmt.Println(v.Page, v.Seconds)
		}
	}
	// Output:
	// / 4
	// /about 7
}

// A pattern takes the objects that match, compressed or not.
func ExampleSplits() {
	ctx := context.Background()
	b, err := memstore.Open("example-splits")
	if err != nil {
		panic(err)
	}
	for _, key := range []string{"logs/2023/a.csv", "logs/2024/a.csv", "logs/2024/b.csv", "logs/2024/b.txt"} {
		if err := b.Put(ctx, key, strings.NewReader("0123456789")); err != nil {
			panic(err)
		}
	}
	splits, err := storage.Splits(ctx, "mem://example-splits/logs/202[4-9]/*.csv", 6)
	if err != nil {
		panic(err)
	}
	for _, s := range splits {
		fmt.Println(s.Key, s.Off, s.Len)
	}
	// Output:
	// 2024/a.csv 0 6
	// 2024/a.csv 6 4
	// 2024/b.csv 0 6
	// 2024/b.csv 6 4
}
