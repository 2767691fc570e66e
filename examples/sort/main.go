// Command sort sorts records of 100 bytes by their first 10, on worker processes.
//
//	sort [-gen N] [-check] [-to URL] [-timeline FILE] [file or directory or storage URL ...]
//
// The records are those of the inputs, or N that it generates. The result is one object after another, in order, and
// manifest.json that names them, in the bucket at -to; without -to they are removed at the end. With -check it reads them
// again and compares their order, number and checksum with the inputs'. With -timeline it draws what each worker did when, as
// an SVG. Without arguments it generates 100,000 records,
// sorts and checks them.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	_ "github.com/gowren/gowren/examples/internal/clouds"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

const (
	recordSize = 100
	keySize    = 10
)

// records is the map step: it emits each record that begins in the split, by its key.
var records = mapper.Emit("records", func(ctx context.Context, s storage.Split, emit func(string, []byte)) error {
	for record, err := range storage.Records(ctx, s, recordSize) {
		if err != nil {
			return err
		}
		emit(string(record[:keySize]), record)
	}
	return nil
})

// settings are what the flags say.
type settings struct {
	gen    int64
	check  bool
	to     string
	split  int64
	buffer int
	drawn  string
	inputs []string
}

func main() {
	mapper.Main()
	var s settings
	flag.Int64Var(&s.gen, "gen", 0, "generate and sort `N` records")
	flag.BoolVar(&s.check, "check", false, "check order, number and checksum of the result")
	flag.StringVar(&s.to, "to", "", "`URL` or folder for the result")
	flag.StringVar(&s.drawn, "timeline", "", "`file` for a drawing of what each worker did when")
	flag.Int64Var(&s.split, "split", 32<<20, "`bytes` of input for one task")
	flag.IntVar(&s.buffer, "buffer", 48<<20, "`bytes` of memory for one task's records")
	flag.Parse()
	s.inputs = flag.Args()
	if len(s.inputs) == 0 && s.gen == 0 {
		s.gen, s.check = 100_000, true
	}
	if s.gen < 0 || s.gen > 0 && len(s.inputs) > 0 {
		log.Fatal("sort: either inputs or -gen with a number above 0")
	}
	ctx, stop := mapper.Interruptible(context.Background()) // ^C ends the job in good order, another one at once
	defer stop()
	if err := run(ctx, os.Stdout, s); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer, s settings) (err error) {
	ex, err := mapper.Open(ctx, mapper.Config{Options: mapper.Options{Buffer: s.buffer}})
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, ex.Close()) }()

	work := storage.Prefix(ex.Bucket(), "sort/"+rand.Text()[:10])
	defer func() { err = errors.Join(err, remove(ctx, work)) }()
	if s.to == "" {
		s.to = storage.Prefix(work, "out").URL()
	}
	s.to = locate(s.to)
	if _, err := mapper.ReadManifest(ctx, s.to); err == nil { // Sort would say so after all was generated
		return fmt.Errorf("%s holds the result of another job: choose another place", s.to)
	}
	var made summary
	if s.gen > 0 {
		s.inputs = []string{storage.Prefix(work, "in").URL()}
		begun := time.Now()
		if made, err = generate(ctx, ex, s.inputs[0], s.gen); err != nil {
			return err
		}
		if err := report(w, "generated", made.Count, begun); err != nil {
			return err
		}
	}

	begun := time.Now()
	for i, in := range s.inputs {
		s.inputs[i] = locate(in)
	}
	splits, err := storage.SplitsOf(ctx, s.inputs, s.split)
	if err != nil {
		return err
	}
	var stats mapper.Stats
	result, err := mapper.Sort(ctx, ex.With(mapper.Options{Stats: func(x mapper.Stats) { stats = x }}), records, splits, s.to)
	if s.drawn != "" && (err == nil || len(stats.Spans) > 0) { // also of a job that failed, unless it was before any worker had begun
		err = errors.Join(err, draw(s.drawn, stats))
	}
	if err != nil {
		return err
	}
	var count int64
	for _, p := range result.Parts {
		count += p.Records
	}
	if err := report(w, "sorted", count, begun); err != nil || !s.check {
		return err
	}

	begun = time.Now()
	if s.gen == 0 {
		if made, err = summarize(ctx, ex, splits); err != nil {
			return err
		}
	}
	if err := check(ctx, ex, result, made); err != nil {
		return err
	}
	return report(w, "checked", count, begun)
}

func draw(file string, s mapper.Stats) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(s.WriteTimeline(f), f.Close())
}

func report(w io.Writer, what string, records int64, begun time.Time) error {
	_, err := fmt.Fprintf(w, "%s %d records in %.2f s\n", what, records, time.Since(begun).Seconds())
	return err
}

// locate makes a URL of a path.
func locate(place string) string {
	if strings.Contains(place, "://") {
		return place
	}
	return filestore.URL(place)
}

// remove deletes all of a bucket, also after ctx has ended, for a minute at most.
func remove(ctx context.Context, b storage.Bucket) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var keys []string
	for o, err := range b.List(ctx, "") {
		if err != nil {
			return fmt.Errorf("%s is not removed: %w", b.URL(), err)
		}
		keys = append(keys, o.Key)
	}
	if err := b.Delete(ctx, keys...); err != nil {
		return fmt.Errorf("%s is not removed: %w", b.URL(), err)
	}
	return nil
}
