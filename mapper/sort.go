package mapper

import (
	"cmp"
	"context"
	"io"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/shuffle"
	"github.com/gowren/gowren/serialize"
)

// Sort writes the records that m emits to the bucket at url, in the order of their keys; those of one key in the order of
// the inputs, and in that in which they were emitted. A record is what its value holds, and each part of the result holds
// records one after another, with nothing between them: where they are lines, emit them with their ends. The keys of a part
// are not below those of the part before. [MapReduceByKeyTo] tells of the manifest and of what is there already.
//
// Map tasks sort what their buffers hold ([Options].Buffer) and write it, with samples of its keys at even distances. The
// samples of all tasks part the keys into ranges of about 64 MB, or as many as [Options].Partitions asks for; each reduce
// task merges one range. What it reads in vain of each sorted run is up to two distances, 512 KB, so that a range has at
// least that of each: where a hundred buffers were written that held 64 MB each, there are 128 ranges at most, and for more
// data larger splits and buffers are better. A range that is larger than 1.3 times the mean is rare: it needs more than a hundred ranges for
// each thousand samples, of which a task has one for every 256 KB, or a single key that is more frequent in one map task
// than a range has records.
func Sort[In any, K cmp.Ordered](ctx context.Context, ex *Executor, m Emitter[In, K, []byte], inputs []In, url string) (Manifest, error) {
	var manifest Manifest
	err := byKey(ctx, ex, m, sortRanges, nil, inputs, &url, func(ctx context.Context, k *keyed) (err error) {
		manifest, err = k.reduceTo(ctx, k.ranges())
		return err
	})
	return manifest, err
}

// sortRanges is the reduce step of Sort.
var sortRanges = builtin(&registry.Function{Name: "gowren/sort", Types: "sort", Shared: decodePlan[reducePlan], Call: sortRange})

// sortRange merges one range of keys.
func sortRange(ctx context.Context, c *serialize.Coder, shared any, in registry.Input, dst []byte) ([]byte, error) {
	p := shared.(*reducePlan)
	m, err := openMerge(ctx, c, p, in)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	return writePart(ctx, c, p, dst, func(w io.Writer) (n int64, err error) {
		for m.Next() {
			if _, err := w.Write(m.Value()); err != nil {
				return n, err
			}
			n++
		}
		if m.Err() != nil {
			return n, unread(m.Err())
		}
		return n, nil
	})
}

// ranges are the tasks of Sort.
func (k *keyed) ranges() []shuffle.Task {
	parts := k.ex.options.Partitions
	if parts <= 0 {
		var total, runs int64
		for i := range k.outputs {
			for _, r := range k.outputs[i].Runs {
				total += r.Size
				runs++
			}
		}
		parts = int(rangesOf(total, runs, int64(k.workers)))
	}
	return shuffle.Cut(k.outputs, parts)
}

const (
	rangeSize  = 64 << 20
	leastRange = 1 << 20
	leastRead  = 512 << 10 // two distances of samples, which is what is read in vain of a run
)

// rangesOf is the number of ranges for sorted runs: as many as there are workers for, but not so many that reading them
// costs more than it must.
func rangesOf(total, runs, slots int64) int64 {
	n := max(total/rangeSize, min(slots, total/leastRange))
	return max(1, min(n, total/max(runs, 1)/leastRead))
}
