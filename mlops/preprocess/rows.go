package preprocess

import (
	"bytes"
	"context"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
)

// head is how much of a source tells how long its rows are.
const head = 64 << 10

// rowsOf guesses how many rows parts have, from how many lines the first bytes have, which are unpacked as far as they go. It
// costs a request. It is 0 where that tells nothing, as where rows are no lines.
func rowsOf(ctx context.Context, f dataset.Format, parts []dataset.Part) (int64, error) {
	if f.Name == dataset.IDX {
		return 0, nil
	}
	all := int64(0)
	for _, p := range parts {
		all += p.Len
	}
	first := parts[0].Split
	cut := first.Size > head
	first.Off, first.Len = 0, min(first.Size, head)
	if first.Compression != "" {
		first.Size = first.Len // as if the object ended there
	}
	lines := 0
	for data, err := range storage.Chunks(ctx, first) {
		if err != nil && cut && first.Compression != "" && ctx.Err() == nil {
			break // it is not the object's end; what else is wrong the pass will tell
		}
		if err != nil {
			return 0, err
		}
		lines += bytes.Count(data, []byte{'\n'})
	}
	return int64(float64(all) / float64(max(first.Len, 1)) * float64(lines)), nil
}
