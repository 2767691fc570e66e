package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

// plain is what [Set.Batches] is to yield, from all rows in memory: a line of the groups' rows, of which the rank takes its
// share, in pools that are shuffled.
func plain(s *Set, rows []row, o BatchOptions) [][]row {
	filled, err := s.fill(o)
	if err != nil {
		panic(err)
	}
	o = *filled
	var groups [][]row
	for at, rest := 0, rows; len(rest) > 0; at++ {
		n := s.rowsOf(at)
		groups, rest = append(groups, rest[:n]), rest[n:]
	}
	var all [][]row
	for epoch := range o.Epochs {
		order := make([]uint32, len(groups))
		for i := range order {
			order[i] = uint32(i)
		}
		if o.Shuffle {
			randomOf(o.Seed, uint64(epoch), 0).shuffle(order)
		}
		n, before := share(int64(len(rows)), o.Rank, o.World)
		if o.Drop {
			n -= n % int64(o.Size)
		}
		var pools [][]row
		pieces := 0
		for _, g := range order {
			part := groups[g]
			skipped := min(before, int64(len(part)))
			before -= skipped
			part = part[skipped:]
			part = part[:min(n, int64(len(part)))]
			n -= int64(len(part))
			if len(part) == 0 {
				continue
			}
			if pieces%o.Pool == 0 {
				pools = append(pools, nil)
			}
			pieces++
			pools[len(pools)-1] = append(pools[len(pools)-1], part...)
		}
		var line []row
		for k, p := range pools {
			if o.Shuffle {
				order := make([]uint32, len(p))
				for i := range order {
					order[i] = uint32(i)
				}
				randomOf(o.Seed, uint64(epoch), 1, uint64(o.Rank), uint64(k)).shuffle(order)
				for _, i := range order {
					line = append(line, p[i])
				}
			} else {
				line = append(line, p...)
			}
		}
		all = slices.AppendSeq(all, slices.Chunk(line, o.Size))
	}
	return all[min(int64(len(all)), o.From):]
}

func equal(x, y [][]row) bool {
	return slices.EqualFunc(x, y, func(x, y []row) bool { return slices.Equal(x, y) })
}

// options draws some for sets of n rows.
func options(r *rand.Rand, n int) BatchOptions {
	return BatchOptions{
		Size: 1 + r.IntN(n+10), Drop: r.IntN(2) == 0, Epochs: 1 + r.IntN(3), Shuffle: r.IntN(3) > 0,
		Pool: 1 + r.IntN(5), Seed: r.Uint64(), World: 1, Ahead: 1 + r.IntN(4),
	}
}

// TestBatches compares with the plain form: for any rows, shards, groups, options and stores.
func TestBatches(t *testing.T) {
	t.Parallel()
	for i, k := range kinds() {
		for _, compress := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s compress=%t", k, compress), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(uint64(i), 7))
				for round := range 6 {
					n := r.IntN(300)
					var b storage.Bucket = memstore.New()
					if round == 0 {
						var err error
						if b, err = filestore.Open(t.TempDir()); err != nil {
							t.Fatal(err)
						}
						defer b.Close()
					}
					s, rows := write(t, b, k, n, WriterOptions{
						ShardBytes: 1 + r.IntN(40_000), GroupBytes: 1 + r.IntN(5_000), GroupRows: 1 + r.IntN(40), Compress: compress,
					})
					if s.Rows() != int64(n) || s.Schema().Hash() != k.schema().Hash() {
						t.Fatalf("%d rows, and not %d", s.Rows(), n)
					}
					for range 6 {
						ranks(t, r, s, rows, options(r, n))
					}
				}
			})
		}
	}
}

// ranks reads with a number of ranks.
func ranks(t *testing.T, r *rand.Rand, s *Set, rows []row, o BatchOptions) {
	o.World = 1 + r.IntN(6)
	if r.IntN(4) == 0 {
		o.World = len(rows) + 1 + r.IntN(3) // some have none
	}
	epoch := map[row]int{}
	for o.Rank = range o.World {
		if o.World > 20 && o.Rank%7 != 0 {
			continue
		}
		o.From = 0
		got := read(t, s, o)
		if want := plain(s, rows, o); !equal(got, want) {
			t.Fatalf("%+v: %v\nwant %v", o, got, want)
		}
		steps, err := s.Steps(o)
		if err != nil || steps*int64(o.Epochs) != int64(len(got)) {
			t.Fatalf("%+v: %d batches in %d epochs, and Steps says %d, %v", o, len(got), o.Epochs, steps, err)
		}
		for _, row := range flat(got) {
			epoch[row]++
		}
		o.From = r.Int64N(int64(len(got)) + 2)
		if again := read(t, s, o); !equal(again, got[min(int(o.From), len(got)):]) {
			t.Fatalf("%+v: from there on it is not the same", o)
		}
	}
	if o.Drop || o.World > 20 || rows != nil && rows[0].values == "" && rows[0].label == 0 {
		return
	}
	for _, row := range rows {
		if epoch[row] != o.Epochs {
			t.Fatalf("%+v: %v came %d times", o, row, epoch[row])
		}
	}
}

// TestShuffled shows that two epochs, and two seeds, have different orders, and that rows leave their neighbours.
func TestShuffled(t *testing.T) {
	t.Parallel()
	s, rows := write(t, memstore.New(), kind{labels: true, width: 1}, 2000, WriterOptions{GroupRows: 50})
	o := BatchOptions{Size: 2000, Shuffle: true, Epochs: 2}
	first := read(t, s, o)
	o.Seed = 1
	other := read(t, s, o)
	for i, pair := range [][2][]row{{rows, first[0]}, {first[0], first[1]}, {first[0], other[0]}} {
		same, next := 0, 0
		for k := range pair[0] {
			if pair[0][k] == pair[1][k] {
				same++
			}
			if k > 0 && pair[1][k].label == pair[1][k-1].label+1 {
				next++
			}
		}
		if same > 20 || next > 60 {
			t.Errorf("pair %d: %d rows in the same place, %d after the one before", i, same, next)
		}
	}
}

// TestEndless ends by the caller's break, in any epoch.
func TestEndless(t *testing.T) {
	t.Parallel()
	s, rows := write(t, memstore.New(), kind{width: 3}, 100, WriterOptions{GroupRows: 7})
	o := BatchOptions{Size: 30, Shuffle: true, Epochs: -1}
	for stop := range 30 {
		n := 0
		for _, err := range s.Batches(t.Context(), o) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n > stop {
				break
			}
		}
	}
	finite := o
	finite.Epochs = 50
	want := plain(s, rows, finite)
	o.From = 150
	n := 150
	for b, err := range s.Batches(t.Context(), o) {
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(rowsOf(b), want[n]) {
			t.Fatalf("batch %d is another", n)
		}
		if n++; n == len(want) {
			break
		}
	}
	empty, _ := write(t, memstore.New(), kind{width: 3}, 0, WriterOptions{})
	for b, err := range empty.Batches(t.Context(), o) {
		t.Fatal("a batch of no rows", b, err)
	}
}

// TestContext ends with its context, also where a store does not answer.
func TestContext(t *testing.T) {
	t.Parallel()
	s, _ := write(t, memstore.New(), kind{width: 3}, 100, WriterOptions{GroupRows: 7})
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	for _, err := range s.Batches(ctx, BatchOptions{Size: 10}) {
		if n++; n == 3 {
			cancel()
		}
		if (err != nil) != (n == 4) || err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("batch %d: %v", n, err)
		}
	}
	if n != 4 {
		t.Errorf("%d batches", n)
	}
	stalls := newSet(s.manifest, storagetest.Faults(s.bucket, storagetest.Rule{Op: "get", Stall: true}))
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	for _, err := range stalls.Batches(ctx, BatchOptions{}) {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// TestFaults has errors that name the shard, and goes on by itself after those that pass.
func TestFaults(t *testing.T) {
	t.Parallel()
	s, rows := write(t, memstore.New(), kind{width: 30}, 500, WriterOptions{GroupRows: 7, ShardBytes: 8_000})
	lost := errors.New("lost")
	key := s.manifest.Shards[3].Key
	o := BatchOptions{Size: 10, Shuffle: true}
	for _, rule := range []storagetest.Rule{
		{Op: "get", Key: key, Before: lost}, {Op: "get", Key: key, Nth: 2, Before: lost}, {Op: "get", Key: key, Cut: lost, At: 7},
	} {
		faulty := newSet(s.manifest, storagetest.Faults(s.bucket, rule))
		var got error
		for _, err := range faulty.Batches(t.Context(), o) {
			got = err
		}
		if !errors.Is(got, lost) || !strings.Contains(got.Error(), key) {
			t.Errorf("%+v: %v", rule, got)
		}
	}
	passing := storage.Retry(storagetest.Faults(s.bucket, storagetest.Rule{Op: "get", Every: 3, Cut: lost, At: 5}), storage.RetryPolicy{Base: 1})
	if got := read(t, newSet(s.manifest, passing), o); !equal(got, plain(s, rows, o)) {
		t.Error("faults that pass change what is read")
	}
}

// gets counts those that are under way and those that were.
type gets struct {
	storage.Bucket
	now, most   atomic.Int64
	all, groups atomic.Int64 // of row groups: not of headers
}

func (g *gets) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	g.all.Add(1)
	if off > 0 {
		g.groups.Add(1)
	}
	now := g.now.Add(1)
	for most := g.most.Load(); now > most && !g.most.CompareAndSwap(most, now); most = g.most.Load() {
	}
	r, err := g.Bucket.Get(ctx, key, off, n)
	if err != nil {
		return nil, err
	}
	return &counted{r, g}, nil
}

type counted struct {
	io.ReadCloser
	of *gets
}

func (c *counted) Close() error {
	c.of.now.Add(-1)
	return c.ReadCloser.Close()
}

// TestAhead holds what is read to what is asked for: no group beyond Pool and Ahead ones, and none twice in an epoch.
func TestAhead(t *testing.T) {
	t.Parallel()
	b, k := memstore.New(), kind{width: 3}
	w, err := NewWriter(t.Context(), b, "job", WriterOptions{Schema: k.schema(), GroupRows: 10, ShardBytes: 160 * 24})
	if err == nil {
		err = w.Write(k.make(rand.New(rand.NewPCG(1, 1)), 0, 1000))
	}
	if err != nil {
		t.Fatal(err)
	}
	shards, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	m, err := newManifest(k.schema(), shards)
	if err != nil {
		t.Fatal(err)
	}
	s := newSet(&m, b)
	if s.groups != 100 || len(s.shards) != 7 {
		t.Fatalf("%d groups in %d shards", s.groups, len(s.shards))
	}
	for _, o := range []BatchOptions{{Size: 10, Ahead: 1}, {Size: 10, Ahead: 3, Shuffle: true, Pool: 4}, {Size: 7, Ahead: 1 << 40, Shuffle: true, Pool: 1 << 16}} {
		counts := &gets{Bucket: s.bucket}
		counting := newSet(s.manifest, counts)
		filled, err := counting.fill(o)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for b, err := range counting.Batches(t.Context(), o) {
			if err != nil {
				t.Fatal(err)
			}
			rows += b.Rows
			if n := int(counts.groups.Load()); n > rows/10+filled.Pool+filled.Ahead {
				t.Fatalf("%+v: %d groups were read after %d rows", o, n, rows)
			}
		}
		if all := int(counts.all.Load()); rows != 1000 || all != s.groups+len(s.shards) {
			t.Errorf("%+v: %d rows, %d gets of %d groups in %d shards", o, rows, all, s.groups, len(s.shards))
		}
		if most := int(counts.most.Load()); most > filled.Ahead {
			t.Errorf("%+v: %d gets at once", o, most)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	s, _ := write(t, memstore.New(), kind{width: 3}, 10, WriterOptions{})
	for says, o := range map[string]BatchOptions{
		"Size is -1, and may be 1 and more":           {Size: -1, From: -1, Rank: -1},
		"From is -1":                                  {From: -1},
		"Pool is -1":                                  {Pool: -1},
		"Pool is 131072, and may be 1 to 65536":       {Pool: 1 << 17},
		"Ahead is -1":                                 {Ahead: -1},
		"World is -1":                                 {World: -1},
		"Rank is -1":                                  {Rank: -1},
		"Rank is 1, and may be 0 alone":               {Rank: 1},
		"Rank is 3, and may be 0 to 2, as World is 3": {Rank: 3, World: 3},
	} {
		if _, err := s.Steps(o); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), says) || strings.Count(err.Error(), "option") != 1 {
			t.Errorf("%+v: %v", o, err)
		}
		for _, err := range s.Batches(t.Context(), o) {
			if !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%+v: %v", o, err)
			}
		}
	}
}

// TestHeadWaits: who waits for a shard's header that another reads goes with its own context, and one of them reads it.
func TestHeadWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := shardOf(t, kind{width: 2}, 10, WriterOptions{})
		slow := newSet(s.manifest, storagetest.Faults(s.bucket, storagetest.Rule{Op: "get", Stall: true, Nth: 1}))
		first, give := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() {
			_, _, err := slow.head(first, 0, 0)
			ended <- err
		}()
		synctest.Wait()
		second, leave := context.WithCancel(t.Context())
		go func() {
			_, _, err := slow.head(second, 0, 0)
			ended <- err
		}()
		synctest.Wait()
		leave()
		synctest.Wait()
		if len(ended) != 1 {
			t.Errorf("of two that wait, %d have ended", len(ended))
		}
		give()
		for range 2 {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		if h, begin, err := slow.head(t.Context(), 0, 0); err != nil || h == nil || begin <= 0 {
			t.Error(h, begin, err)
		}
	})
}
