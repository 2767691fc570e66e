// Command wordcount counts words on worker processes.
//
//	wordcount [-n N | -all] [file or directory or storage URL ...]
//
// It prints a count, a tab and the word, the most frequent first. Words are what white space separates, as
// strings.Fields has it. Without arguments it counts the words of Isaac Newton's Opticks (1730), which it brings along.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"iter"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "github.com/gowren/gowren/examples/internal/clouds"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

//go:embed opticks.txt
var opticks []byte

// words is the map step: it emits each word of one byte range of the input.
var words = mapper.Emit("words", func(ctx context.Context, s storage.Split, emit func(string, int)) error {
	for line, err := range storage.Lines(ctx, s) {
		if err != nil {
			return err
		}
		for word := range strings.FieldsSeq(string(line)) {
			emit(word, 1)
		}
	}
	return nil
})

// sum is the reduce step: it adds up the counts of a word. Workers that emit a word often add up before they send.
var sum = mapper.ReduceByKey("sum", func(_ context.Context, _ string, counts iter.Seq[int]) (int, error) {
	total := 0
	for n := range counts {
		total += n
	}
	return total, nil
}).Combine(func(a, b int) int { return a + b })

func main() {
	mapper.Main()
	top := flag.Int("n", 20, "print the `N` most frequent words")
	all := flag.Bool("all", false, "print all words")
	size := flag.Int64("split", storage.DefaultSplit, "`bytes` of input for one task")
	flag.Parse()
	switch {
	case *all:
		*top = -1
	case *top < 0:
		log.Fatal("wordcount: -n must be at least 0; -all prints all words")
	}
	ctx, stop := mapper.Interruptible(context.Background()) // ^C ends the job in good order, another one at once
	defer stop()
	if err := run(ctx, os.Stdout, flag.Args(), *size, *top); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer, inputs []string, size int64, top int) (err error) {
	ex, err := mapper.Open(ctx, mapper.Config{})
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, ex.Close()) }()
	if len(inputs) == 0 {
		url, err := book(ctx, ex.Bucket())
		if err != nil {
			return err
		}
		inputs, size = []string{url}, min(size, 64<<10)
	}

	var splits []storage.Split
	for _, in := range inputs {
		if !strings.Contains(in, "://") {
			if in, err = filepath.Abs(in); err != nil {
				return err
			}
			in = filestore.URL(in)
		}
		s, err := storage.Splits(ctx, in, size)
		if err != nil {
			return err
		}
		splits = append(splits, s...)
	}
	counts, err := mapper.MapReduceByKey(ctx, ex, words, sum, splits)
	if err != nil {
		return err
	}
	return print(w, counts, top)
}

// book puts the text that the program brings along into the bucket, where workers find it, and returns its URL.
func book(ctx context.Context, b storage.Bucket) (string, error) {
	b = storage.Prefix(b, "wordcount")
	return b.URL(), b.Put(ctx, "opticks.txt", bytes.NewReader(opticks))
}

// print writes the counts, the largest first and equal ones in the order of the words; all where top is negative.
func print(w io.Writer, counts []mapper.Pair[string, int], top int) error {
	slices.SortStableFunc(counts, func(a, b mapper.Pair[string, int]) int { return cmp.Compare(b.Value, a.Value) })
	if top >= 0 {
		counts = counts[:min(top, len(counts))]
	}
	out := bufio.NewWriter(w)
	for _, c := range counts {
		if _, err := fmt.Fprintf(out, "%d\t%s\n", c.Value, c.Key); err != nil {
			return err
		}
	}
	return out.Flush()
}
