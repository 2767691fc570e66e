package main

import (
	"bufio"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

// batch is what one task generates: records from a number on.
type batch struct {
	URL   string
	From  int64
	Count int64
}

// generateSize is the number of records of a batch.
const generateSize = 250_000

// write makes a batch's records: ten random printable bytes, the record's number, filling, and a line's end, so that
// other programs can sort them as lines.
var write = mapper.Func("write", func(ctx context.Context, b batch) (summary, error) {
	bucket, err := storage.Open(ctx, b.URL)
	if err != nil {
		return summary{}, err
	}
	defer bucket.Close()
	random := rand.New(rand.NewPCG(uint64(b.From), 1))
	record := make([]byte, recordSize)
	for i := range record {
		record[i] = 'A' + byte(i%26)
	}
	record[recordSize-1] = '\n'
	var s summary
	r, w := io.Pipe()
	go func() {
		out := bufio.NewWriterSize(w, 256<<10)
		for i := range b.Count {
			for k := range keySize {
				record[k] = ' ' + byte(random.Uint32N(95))
			}
			copy(record[keySize:], fmt.Appendf(nil, "%016d", b.From+i))
			s.add(record)
			if _, err := out.Write(record); err != nil {
				_ = w.CloseWithError(err) // never fails
				return
			}
		}
		_ = w.CloseWithError(out.Flush()) // never fails
	}()
	err = bucket.Put(ctx, fmt.Sprintf("%012d", b.From), r)
	_ = r.CloseWithError(err) // never fails; it ends the goroutine
	if err != nil {
		return summary{}, err
	}
	return s, nil
})

// generate writes n records to the bucket at url, and returns their summary.
func generate(ctx context.Context, ex *mapper.Executor, url string, n int64) (summary, error) {
	var batches []batch
	for from := int64(0); from < n; from += generateSize {
		batches = append(batches, batch{url, from, min(generateSize, n-from)})
	}
	made, err := mapper.Map(ctx, ex, write, batches)
	var all summary
	for _, s := range made {
		all.join(s)
	}
	return all, err
}

// summary tells of records whatever their order.
type summary struct {
	Count int64
	Sum   uint64 // of the records' checksums
}

func (s *summary) add(record []byte) {
	s.Count++
	s.Sum += uint64(crc32.ChecksumIEEE(record))
}

func (s *summary) join(o summary) {
	s.Count += o.Count
	s.Sum += o.Sum
}
