// Command join joins two tables by a column on worker processes, as SQL's JOIN does.
//
//	join [-kind inner|left|full] [-on COLUMN[=COLUMN]] [left.csv right.csv]
//
// It prints a CSV file: the columns of the left table, then those of the right but the one they are joined by, a row for
// each pair of rows that have the same there. Rows are in the order of that column, then of the right table, then of the
// left. A left join has the left rows without a partner too, a full join those of both sides; what they lack is empty. The
// tables are files, folders or storage URLs with a header in each file. Without arguments it joins the states of the USA
// with their population in 2020, which it brings along.
package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/csv"
	"errors"
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

var (
	//go:embed states.csv
	states []byte
	//go:embed census.csv
	census []byte
)

// part is a part of one of the tables.
type part struct {
	Split  storage.Split
	Right  bool // of the right table
	Header []string
	On     string
}

// row is a row of either table, without its key.
type row struct {
	Right  bool
	Fields []string
}

// rows is the map step: it emits each row under its key, and says from which table it is.
var rows = mapper.Emit("rows", func(ctx context.Context, p part, emit func(string, row)) error {
	for r, err := range storage.CSV(ctx, p.Split, storage.CSVOptions{}) {
		if err != nil {
			return err
		}
		if !slices.Equal(r.Header, p.Header) {
			return fmt.Errorf("%s has the columns %q, and another file of its table has %q", p.Split.Key, r.Header, p.Header)
		}
		key, fields := take(r.Fields, slices.Index(r.Header, p.On))
		emit(key, row{p.Right, fields})
	}
	return nil
})

// take returns the field at i, and the others.
func take(fields []string, i int) (string, []string) {
	return fields[i], slices.Delete(slices.Clone(fields), i, i+1)
}

// pair is a row of the result. A side that is nil has no partner.
type pair struct{ Left, Right []string }

// joins are the reduce steps.
var joins = map[string]mapper.Reducer[string, row, []pair]{
	"inner": mapper.ReduceByKey("inner", join(false, false)),
	"left":  mapper.ReduceByKey("left", join(true, false)),
	"full":  mapper.ReduceByKey("full", join(true, true)),
}

// join returns a function that pairs the rows of a key, with the lone ones of each side as told. Rows come in the order of
// the inputs, those of the left table first, so that only those are held.
func join(left, right bool) func(context.Context, string, iter.Seq[row]) ([]pair, error) {
	return func(_ context.Context, _ string, all iter.Seq[row]) ([]pair, error) {
		var lefts [][]string
		var pairs []pair
		lone := true
		for r := range all {
			switch {
			case !r.Right:
				lefts = append(lefts, r.Fields)
				continue
			case len(lefts) == 0 && right:
				pairs = append(pairs, pair{Right: r.Fields})
			}
			lone = false
			for _, l := range lefts {
				pairs = append(pairs, pair{l, r.Fields})
			}
		}
		if lone && left {
			for _, l := range lefts {
				pairs = append(pairs, pair{Left: l})
			}
		}
		return pairs, nil
	}
}

func main() {
	mapper.Main()
	kind := flag.String("kind", "inner", "which rows without a partner are kept: `inner` none, left those of the left table, full all")
	on := flag.String("on", "", "the `column` that both tables are joined by, or one of each, parted by =")
	size := flag.Int64("split", storage.DefaultSplit, "`bytes` of input for one task")
	flag.Parse()
	ctx, stop := mapper.Interruptible(context.Background()) // ^C ends the job in good order, another one at once
	defer stop()
	if err := run(ctx, os.Stdout, flag.Args(), *on, *kind, *size); err != nil {
		log.Fatal("join: ", err)
	}
}

func run(ctx context.Context, w io.Writer, tables []string, on, kind string, size int64) (err error) {
	reducer, ok := joins[kind]
	if !ok {
		return fmt.Errorf("-kind is inner, left or full, and not %q", kind)
	}
	if len(tables) != 0 && len(tables) != 2 {
		return errors.New("name two tables, or none")
	}
	ex, err := mapper.Open(ctx, mapper.Config{})
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, ex.Close()) }()
	if len(tables) == 0 {
		if tables, err = bring(ctx, ex.Bucket()); err != nil {
			return err
		}
		on = cmp.Or(on, "usps=code")
	}
	onLeft, onRight, both := strings.Cut(on, "=")
	if !both {
		onRight = onLeft
	}
	left, err := open(ctx, tables[0], onLeft, size)
	if err != nil {
		return err
	}
	right, err := open(ctx, tables[1], onRight, size)
	if err != nil {
		return err
	}
	for i := range right {
		right[i].Right = true
	}
	pairs, err := mapper.MapReduceByKey(ctx, ex, rows, reducer, slices.Concat(left, right))
	if err != nil {
		return err
	}
	return print(w, left[0], right[0], pairs)
}

// bring puts the tables that the program brings along into the bucket, where workers find them, and returns their URLs.
func bring(ctx context.Context, b storage.Bucket) ([]string, error) {
	var urls []string
	for name, table := range map[string][]byte{"states": states, "census": census} {
		folder := storage.Prefix(b, "join/"+name)
		if err := folder.Put(ctx, name+".csv", bytes.NewReader(table)); err != nil {
			return nil, err
		}
		urls = append(urls, folder.URL())
	}
	slices.SortFunc(urls, func(a, b string) int { return strings.Compare(b, a) }) // the states are on the left
	return urls, nil
}

// open cuts a table into parts. It has one at least.
func open(ctx context.Context, table, on string, size int64) ([]part, error) {
	url := table
	if !strings.Contains(table, "://") {
		path, err := filepath.Abs(table)
		if err != nil {
			return nil, err
		}
		url = filestore.URL(path)
	}
	splits, err := storage.Splits(ctx, url, size)
	if err != nil {
		return nil, err
	}
	var parts []part
	for _, s := range splits {
		if len(parts) == 0 {
			header, err := headerOf(ctx, s)
			switch {
			case err != nil:
				return nil, err
			case header == nil:
				continue
			case !slices.Contains(header, on):
				return nil, fmt.Errorf("%s has no column %q for -on, only %q", table, on, header)
			}
			parts = []part{{Header: header, On: on}}
			parts[0].Split = s
			continue
		}
		parts = append(parts, part{Split: s, Header: parts[0].Header, On: on})
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("%s is empty: a table has a header", table)
	}
	return parts, nil
}

// headerOf reads the first row, or nil where there is none.
func headerOf(ctx context.Context, s storage.Split) ([]string, error) {
	for r, err := range storage.CSV(ctx, s, storage.CSVOptions{NoHeader: true}) {
		return slices.Clone(r.Fields), err
	}
	return nil, nil
}

// print writes the rows, each with its key where the left table has it.
func print(w io.Writer, left, right part, keys []mapper.Pair[string, []pair]) error {
	out := csv.NewWriter(w)
	at := slices.Index(left.Header, left.On)
	_, others := take(right.Header, slices.Index(right.Header, right.On))
	if err := out.Write(slices.Concat(left.Header, others)); err != nil {
		return err
	}
	for _, k := range keys {
		for _, p := range k.Value {
			if p.Left == nil {
				p.Left = make([]string, len(left.Header)-1)
			}
			if p.Right == nil {
				p.Right = make([]string, len(others))
			}
			if err := out.Write(slices.Concat(slices.Insert(p.Left, at, k.Key), p.Right)); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}
