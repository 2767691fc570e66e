package shuffle

import (
	"fmt"
	"testing"
)

// TestSmallBuffer: how often a buffer is full follows from what it holds, also where that is far less than a chunk. If
// each record were a run of its own, reducers would make a request for each.
func TestSmallBuffer(t *testing.T) {
	t.Parallel()
	const records, buffer = 4000, 16 << 10
	value := make([]byte, 90)
	for _, folding := range []bool{false, true} {
		_, open := bucket(t)
		w := NewWriter(t.Context(), Plan{Folder: "f", Parts: 3, Buffer: buffer}, "m", open, nil)
		if folding {
			w.value = func(uint32) ([]byte, error) { return value, nil }
		}
		for i := range records {
			var err error
			more, key := 0, fmt.Append(nil, "key ", i)
			if folding {
				_, _, err = w.Find(key)
				more = w.Len() * len(value)
			} else {
				err = w.Add(key, value)
			}
			if err == nil && w.Full(more) {
				err = w.Spill()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		out, err := w.Finish()
		if err != nil {
			t.Fatal(err)
		}
		// A record takes its bytes, and less than half as many again to sort or find it.
		if n, fewest := len(out.Runs), records*100/buffer; n < fewest || n > 2*fewest {
			t.Errorf("folding %v: %d runs, where the records fill the buffer %d times", folding, n, fewest)
		}
	}
}
