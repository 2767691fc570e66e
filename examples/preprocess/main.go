// Command preprocess makes shards, from which models are trained, of tables: of CSV, JSON lines, libsvm, Criteo or IDX files;
// those of IDX come in pairs, images and labels.
//
//	preprocess [-label COLUMN] [-numbers HOW] [-strings HOW] [-report FILE] [-to URL] [file or directory or storage URL ...]
//
// It prints what is in each column, fits the transforms that the flags name, and writes the rows as shards to the bucket at
// -to, with the fitted transforms, which preprocess.Open reads; without -to they are removed at the end. Without arguments it takes measures of 344 penguins, which it brings along. A path may be a pattern, as 'data/*.csv'.
package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	_ "github.com/gowren/gowren/examples/internal/clouds"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/mlops/dataset/real"
	"github.com/gowren/gowren/mlops/preprocess"
	"github.com/gowren/gowren/storage"
)

// settings are what the flags say.
type settings struct {
	format, label, numbers, missing, text, report, to string
	most, bits                                        int
	skip, multiline, headless                         bool
	comma, ignore, words, spellings, infinite         string
	split                                             int64
	inputs                                            []string
	title                                             string          // of the report
	unread, verbatim                                  []string        // columns that are ignored, and that are strings
	given                                             map[string]bool // flags
}

func main() {
	mapper.Main()
	var s settings
	flag.StringVar(&s.format, "format", dataset.CSV, "csv, jsonl, libsvm, criteo or idx")
	flag.StringVar(&s.comma, "comma", "", "the `character` that parts fields of CSV, where it is no comma")
	flag.BoolVar(&s.multiline, "multiline", false, "quoted fields of CSV may hold newlines")
	flag.StringVar(&s.spellings, "na", "", "what missing values look like beside empty fields, parted by commas, where it is not NA and the like")
	flag.BoolVar(&s.headless, "no-header", false, "the first row of CSV is one like the others: columns are c1, c2 and so on")
	flag.StringVar(&s.words, "text", "", "`columns` of CSV that are strings, also where they look like numbers, parted as those of -ignore")
	flag.StringVar(&s.infinite, "infinite", "", "what infinities are: missing, or keep for numbers as others (default an error)")
	flag.StringVar(&s.ignore, "ignore", "", "`columns` that a model is not told, parted by commas; a name that has one is quoted, as in CSV")
	flag.StringVar(&s.label, "label", "", "the `column` that a model is to tell")
	flag.StringVar(&s.numbers, "numbers", "", "how numbers are scaled: standard, minmax, maxabs, robust, quantile or none (default standard, and maxabs for vectors)")
	flag.StringVar(&s.missing, "missing", "median", "what missing numbers become: mean, median, zero, or none to keep them")
	flag.StringVar(&s.text, "strings", "onehot", "what strings become: onehot, ordinal, hash or drop")
	flag.IntVar(&s.most, "most", 100, "`values` of a string column that onehot and ordinal tell apart; 0 is all")
	flag.IntVar(&s.bits, "bits", 18, "width of hash, as a power of two")
	flag.BoolVar(&s.skip, "skip", false, "leave out rows that cannot be read, or have no label, and say how many")
	flag.StringVar(&s.report, "report", "", "`file` for a page that shows each column, as HTML")
	flag.StringVar(&s.to, "to", "", "`URL` or folder for the shards")
	flag.Int64Var(&s.split, "split", storage.DefaultSplit, "`bytes` of input for one task")
	flag.Parse()
	s.inputs, s.given = flag.Args(), map[string]bool{}
	flag.Visit(func(f *flag.Flag) { s.given[f.Name] = true })
	ctx, stop := mapper.Interruptible(context.Background()) // ^C ends the job in good order, another one at once
	defer stop()
	if err := run(ctx, os.Stdout, s); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer, s settings) (err error) {
	defer func() { err = s.hinted(err) }()
	if err := s.check(); err != nil {
		return err
	}
	page, err := newPage(s.report)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, page.close(err == nil)) }()
	ex, err := mapper.Open(ctx, mapper.Config{})
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, ex.Close()) }()
	work := storage.Prefix(ex.Bucket(), "preprocess/"+rand.Text()[:10])
	defer func() { err = errors.Join(err, remove(ctx, work)) }()

	to := locate(cmp.Or(s.to, storage.Prefix(work, "shards").URL()))
	if err := vacant(ctx, to); err != nil {
		return err
	}
	src, err := s.source(ctx, work)
	if err != nil {
		return err
	}
	pipeline, err := s.pipeline(src.Schema)
	if err != nil {
		return err
	}

	told, err := preprocess.Describe(ctx, ex, src)
	if err != nil {
		return err
	}
	told.Columns = slices.DeleteFunc(told.Columns, func(c preprocess.ColumnDescription) bool { return slices.Contains(s.unread, c.Name) })
	if err := told.WriteTable(w); err != nil {
		return err
	}
	if err := page.write(w, told, cmp.Or(s.title, strings.Join(s.inputs, ", "))); err != nil {
		return err
	}

	if err := s.usable(told); err != nil {
		return err
	}
	if err := s.notes(w, told); err != nil {
		return err
	}
	fitted, err := s.labelled(pipeline, told).Fit(ctx, ex, src)
	if err != nil {
		return err
	}
	fitted.KeepMissing = s.missing == "none"
	done, err := fitted.Transform(ctx, ex, src, to, preprocess.TransformOptions{})
	if err != nil {
		return err
	}
	if done.Dropped > 0 {
		if _, err := fmt.Fprintf(w, "left out without a label: %s\n", count(done.Dropped, "row")); err != nil {
			return err
		}
	}
	where := "shards, removed at the end, for there is no -to"
	if s.to != "" {
		where = to
	}
	return show(ctx, w, to, where)
}

// source is the input, of which the schema is found in its first rows.
func (s *settings) source(ctx context.Context, work storage.Bucket) (dataset.Source, error) {
	if len(s.inputs) == 0 {
		var err error
		if s.inputs, err = s.sample(ctx, work); err != nil {
			return dataset.Source{}, err
		}
	}
	src := dataset.Source{Format: dataset.Format{Name: s.format}, Split: s.split}
	for _, in := range s.inputs {
		urls, err := expand(in)
		if err != nil {
			return src, err
		}
		src.URLs = append(src.URLs, urls...)
	}
	if s.skip {
		src.Format.Bad = dataset.Skip
	}
	src.Format.Comma, src.Format.MultiLine, src.Format.NoHeader = s.comma, s.multiline, s.headless
	src.Format.Infinite = dataset.Policy(s.infinite)
	if s.spellings != "" {
		src.Format.Missing = strings.Split(s.spellings, ",")
	}
	for _, name := range s.unread { // so that Infer does not look at them
		src.Schema.Columns = append(src.Schema.Columns, dataset.Column{Name: name, Role: dataset.Ignored})
	}
	var err error
	if src.Schema, err = dataset.Infer(ctx, src); err != nil {
		return src, s.parted(ctx, src, err)
	}
	if first := src.Schema.Columns[0].Name; s.format == dataset.CSV && s.comma == "" && len(src.Schema.Columns) == 1 && strings.ContainsAny(first, ";\t|") {
		return src, fmt.Errorf("preprocess: there is one column, %.100q: say what parts the fields with -comma, as -comma ';' or -comma '\\t', or -comma , where it is one", first)
	}
	return src, s.roles(&src.Schema)
}

// parted adds to the error of reading what is no table with commas that it is one with something else.
func (s *settings) parted(ctx context.Context, src dataset.Source, err error) error {
	if s.format != dataset.CSV || s.comma != "" {
		return err
	}
	for _, comma := range []string{";", "\t", "|"} {
		src.Format.Comma = comma
		if found, other := dataset.Infer(ctx, src); other == nil && len(found.Columns) > 1 {
			return fmt.Errorf("%w; with -comma %s there are %d columns", err, strings.ReplaceAll(strconv.Quote(comma), `"`, "'"), len(found.Columns))
		}
	}
	return err
}

// roles gives columns the roles that the flags name.
func (s *settings) roles(schema *dataset.Schema) error {
	set := func(name, flag string, role dataset.Role) error {
		i, err := schema.Find(name)
		if err != nil {
			return fmt.Errorf("preprocess: -%s: %w", flag, err)
		}
		schema.Columns[i].Role = role
		return nil
	}
	for _, name := range s.unread {
		if err := set(name, "ignore", dataset.Ignored); err != nil {
			return err
		}
	}
	for _, name := range s.verbatim {
		i, err := schema.Find(name)
		if err != nil {
			return fmt.Errorf("preprocess: -text: %w", err)
		}
		schema.Columns[i].Kind = dataset.String
	}
	if s.label != "" {
		if err := set(s.label, "label", dataset.Label); err != nil {
			return err
		}
	}
	return s.features(*schema)
}

// sample stores a table that the program brings along.
func (s *settings) sample(ctx context.Context, work storage.Bucket) ([]string, error) {
	table := real.Penguins()
	s.title = "penguins"
	if s.label == "" {
		s.label = "species"
	}
	if err := work.Put(ctx, "in/penguins.csv", bytes.NewReader(table.CSV)); err != nil {
		return nil, err
	}
	return []string{storage.Prefix(work, "in").URL()}, nil
}

// show reads the shards back, a minibatch after the other, and tells what is in them.
func show(ctx context.Context, w io.Writer, url, where string) (err error) {
	set, err := dataset.Open(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, set.Close()) }()
	m := set.Manifest()
	form := "dense"
	if m.Sparse {
		form = fmt.Sprintf("sparse, %.1f of them not zero", float64(m.NonZeros)/float64(max(m.Rows, 1)))
	}
	if _, err := fmt.Fprintf(w, "\n%s: %s of %s (%s), %s in %s\n", where, count(m.Rows, "row"), count(m.Width, "number"), form, count(m.Size, "byte"), count(len(m.Shards), "shard")); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "numbers of a row: %s\n", widths(set.Schema())); err != nil {
		return err
	}
	const size = 128
	rows, batches := 0, 0
	for b, err := range set.Batches(ctx, dataset.BatchOptions{Size: size, Shuffle: true, Seed: 1}) {
		if err != nil {
			return err
		}
		rows, batches = rows+b.Rows, batches+1
	}
	_, err = fmt.Fprintf(w, "read back, shuffled: %s in %d %s of %d\n", count(rows, "row"), batches, plural(batches, "minibatch", "minibatches"), size)
	return err
}

// count is a number of things.
func count[T int | int64](n T, what string) string {
	return fmt.Sprintf("%d %s", n, plural(n, what, what+"s"))
}

func plural[T int | int64](n T, one, more string) string {
	if n == 1 {
		return one
	}
	return more
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
