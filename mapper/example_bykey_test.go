package mapper_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log"
	"os"
	"strings"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

var words = mapper.Emit("words", func(_ context.Context, line string, emit func(string, int)) error {
	for word := range strings.FieldsSeq(line) {
		emit(word, 1)
	}
	return nil
})

var count = mapper.ReduceByKey("count", func(_ context.Context, _ string, ones iter.Seq[int]) (int, error) {
	n := 0
	for one := range ones {
		n += one
	}
	return n, nil
}).Combine(func(a, b int) int { return a + b })

func ExampleMapReduceByKey() {
	ex := example()
	defer ex.Close()

	counts, err := mapper.MapReduceByKey(context.Background(), ex, words, count, []string{"to be or", "not to be"})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range counts {
		fmt.Println(c.Key, c.Value)
	}
	// Output:
	// be 2
	// not 1
	// or 1
	// to 2
}

// Results that are neither bytes nor strings are lines of JSON.
func ExampleMapReduceByKeyTo() {
	ex := example().With(mapper.Options{Partitions: 1})
	defer ex.Close()

	result, err := mapper.MapReduceByKeyTo(context.Background(), ex, words, count, []string{"to be or", "not to be"}, "mem://counts")
	if err != nil {
		log.Fatal(err)
	}
	show(result)
	// Output:
	// {"key":"be","value":2}
	// {"key":"not","value":1}
	// {"key":"or","value":1}
	// {"key":"to","value":2}
}

var verses = mapper.Emit("verses", func(_ context.Context, text string, emit func(int, []byte)) error {
	for line := range strings.Lines(text) {
		emit(len(line), []byte(line))
	}
	return nil
})

// Records are sorted by the key that they are emitted with, here the length of a line.
func ExampleSort() {
	ex := example()
	defer ex.Close()

	result, err := mapper.Sort(context.Background(), ex, verses, []string{"three\nfour\n", "one\ntwo\n"}, "mem://sorted")
	if err != nil {
		log.Fatal(err)
	}
	show(result)
	// Output:
	// one
	// two
	// four
	// three
}

// show prints the parts of a result.
func show(result mapper.Manifest) {
	bucket, err := storage.Open(context.Background(), result.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer bucket.Close()
	for _, part := range result.Parts {
		r, err := bucket.Get(context.Background(), part.Key, 0, -1)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := io.Copy(os.Stdout, r); err != nil {
			log.Fatal(err)
		}
		r.Close()
	}
}
