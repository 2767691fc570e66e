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
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

//go:embed opticks.txt
var opticks []byte

// count is the map step: it counts the words of one byte range of the input.
var count = mapper.Func("count", func(ctx context.Context, s storage.Split) (map[string]int, error) {
	seen := map[string]*int{} // a pointer saves the allocation of each word that was seen before
	for line, err := range storage.Lines(ctx, s) {
		if err != nil {
			return nil, err
		}
		for word := range bytes.FieldsSeq(line) {
			if n := seen[string(word)]; n != nil {
				*n++
				continue
			}
			one := 1
			seen[string(word)] = &one
		}
	}
	counts := make(map[string]int, len(seen))
	for word, n := range seen {
		counts[word] = *n
	}
	return counts, nil
})

// add is the reduce step: it adds up two counts.
var add = mapper.Combine("add", func(_ context.Context, a, b map[string]int) (map[string]int, error) {
	for word, n := range b {
		a[word] += n
	}
	return a, nil
})

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
	if err := run(context.Background(), os.Stdout, flag.Args(), *size, *top); err != nil {
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
	if len(splits) == 0 {
		return nil // the inputs are empty
	}
	counts, err := mapper.MapReduce(ctx, ex, count, add, splits)
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
func print(w io.Writer, counts map[string]int, top int) error {
	words := make([]string, 0, len(counts))
	for word := range counts {
		words = append(words, word)
	}
	slices.SortFunc(words, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	if top >= 0 {
		words = words[:min(top, len(words))]
	}
	out := bufio.NewWriter(w)
	for _, word := range words {
		if _, err := fmt.Fprintf(out, "%d\t%s\n", counts[word], word); err != nil {
			return err
		}
	}
	return out.Flush()
}
