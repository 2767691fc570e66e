package dataset

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sort"
	"sync/atomic"

	"github.com/gowren/gowren/storage"
)

// Set is a dataset that is stored as shards. It is safe for concurrent use.
type Set struct {
	manifest *Manifest
	bucket   storage.Bucket
	schema   uint64
	shards   []shardState
	groups   int
}

// shardState is what is known of a shard.
type shardState struct {
	first   int                     // its first group, in the set
	known   atomic.Pointer[located] // once its header was read
	reading chan struct{}           // has one while somebody reads it, for whom others wait as long as they like
}

// located is a header, and where the groups begin.
type located struct {
	header *header
	begins []int64
}

// Open opens the set whose manifest is in the bucket at url. It is fs.ErrNotExist where there is none. It takes one
// request, and the first row group of a shard that is read takes another, for the shard's header, which is kept: about 20
// bytes a group.
func Open(ctx context.Context, url string) (*Set, error) {
	b, err := open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	m, err := readManifest(ctx, b)
	if err != nil {
		_ = b.Close() // only read
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("dataset: no dataset is at %s: it has no %s, which is stored after the last shard: %w", b.URL(), manifestKey, err)
		}
		return nil, fmt.Errorf("dataset: %w", err)
	}
	return newSet(m, b), nil
}

func newSet(m *Manifest, b storage.Bucket) *Set {
	s := &Set{manifest: m, bucket: b, shards: make([]shardState, len(m.Shards))}
	if hash, err := hex.DecodeString(m.Hash); err == nil { // it was checked
		s.schema = binary.BigEndian.Uint64(hash)
	}
	for i, shard := range m.Shards {
		s.shards[i].first, s.shards[i].reading = s.groups, make(chan struct{}, 1)
		s.groups += int(groupsOf(shard.Rows, shard.Group))
	}
	return s
}

// Manifest returns what the set is. It is not to be changed.
func (s *Set) Manifest() *Manifest { return s.manifest }

// Schema returns that of the rows as they were when they became numbers.
func (s *Set) Schema() Schema { return s.manifest.Schema }

// Rows returns how many rows there are.
func (s *Set) Rows() int64 { return s.manifest.Rows }

// Groups returns how many row groups there are.
func (s *Set) Groups() int { return s.groups }

// Close closes the bucket.
func (s *Set) Close() error { return s.bucket.Close() }

// place returns which group of which shard one of the set is.
func (s *Set) place(group int) (shard, in int) {
	shard = sort.Search(len(s.shards), func(i int) bool { return s.shards[i].first > group }) - 1
	return shard, group - s.shards[shard].first
}

// rowsOf returns how many rows a group has.
func (s *Set) rowsOf(group int) int {
	i, in := s.place(group)
	shard := &s.manifest.Shards[i]
	return int(min(int64(shard.Group), shard.Rows-int64(in)*int64(shard.Group)))
}

// Read reads a row group, from 0 on in the order of the set, into g, whose memory it uses again. It takes one request.
// Damage is [storage.ErrDamaged]; errors name the shard.
func (s *Set) Read(ctx context.Context, group int, g *Group) error {
	i, in := s.place(group)
	h, begin, err := s.head(ctx, i, in)
	if err != nil {
		return err
	}
	b := g.room(h, in)
	if err := s.get(ctx, i, begin, b); err != nil {
		return err
	}
	if err := g.decode(h, in); err != nil {
		return s.damaged(i, fmt.Errorf("row group %d: %w", in, err))
	}
	return nil
}

// head returns the header of a shard, and where one of its groups begins.
func (s *Set) head(ctx context.Context, i, group int) (*header, int64, error) {
	state := &s.shards[i]
	if k := state.known.Load(); k != nil {
		return k.header, k.begins[group], nil
	}
	select {
	case state.reading <- struct{}{}:
	case <-ctx.Done():
		return nil, 0, fmt.Errorf("dataset: %w", context.Cause(ctx))
	}
	defer func() { <-state.reading }()
	k := state.known.Load()
	if k == nil {
		var err error
		if k, err = s.locate(ctx, i); err != nil {
			return nil, 0, err
		}
		state.known.Store(k)
	}
	return k.header, k.begins[group], nil
}

// locate reads the header of a shard.
func (s *Set) locate(ctx context.Context, i int) (*located, error) {
	shard := &s.manifest.Shards[i]
	b := make([]byte, sizeOfHeader(int(groupsOf(shard.Rows, shard.Group))))
	if err := s.get(ctx, i, 0, b); err != nil {
		return nil, err
	}
	h, err := decodeHeader(b, shard.Size)
	if err == nil {
		err = belongs(b, shard)
	}
	if err != nil {
		return nil, s.damaged(i, err)
	}
	if err := s.agrees(h, shard); err != nil {
		return nil, fmt.Errorf("dataset: shard %q in %s: %w", shard.Key, s.bucket.URL(), err)
	}
	k := &located{h, make([]int64, len(h.groups))}
	at := int64(len(b))
	for n, e := range h.groups {
		k.begins[n] = at
		at += int64(e.bytes)
	}
	return k, nil
}

// belongs returns an error unless the bytes of a header are those of the shard that the manifest means.
func belongs(b []byte, shard *Shard) error {
	if sum := binary.LittleEndian.Uint32(b[len(b)-4:]); sum != shard.Sum {
		return fmt.Errorf("it is another than the set's: its header has the checksum %08x, and the set's %08x", sum, shard.Sum)
	}
	return nil
}

// agrees returns an error unless a header tells what the manifest does. Its bytes are those that were written: it is the manifest
// that is of something else.
func (s *Set) agrees(h *header, shard *Shard) error {
	m := s.manifest
	if h.schema == s.schema && h.width == m.Width && h.sparse == m.Sparse && h.labels == m.Labels && h.weights == m.Weights &&
		h.total == shard.Rows && h.rows == shard.Group && h.nonZeros == shard.NonZeros {
		return nil
	}
	return fmt.Errorf("it was written in another form than %s tells: %d rows, %d wide (sparse: %t, labels: %t, weights: %t), and not %d rows, %d wide (sparse: %t, labels: %t, weights: %t), or by another schema: %w",
		manifestKey, h.total, h.width, h.sparse, h.labels, h.weights, shard.Rows, m.Width, m.Sparse, m.Labels, m.Weights, fs.ErrInvalid)
}

// get fills b with the bytes of a shard from at on.
func (s *Set) get(ctx context.Context, i int, at int64, b []byte) error {
	key := s.manifest.Shards[i].Key
	if len(b) == 0 {
		return nil
	}
	r, err := s.bucket.Get(ctx, key, at, int64(len(b)))
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	_, err = io.ReadFull(r, b)
	r.Close()
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return s.damaged(i, fmt.Errorf("it ends before byte %d", at+int64(len(b))))
	case err != nil:
		return fmt.Errorf("dataset: shard %q in %s: %w", key, s.bucket.URL(), err)
	}
	return nil
}

// damaged says that a shard is not what was stored.
func (s *Set) damaged(i int, err error) error {
	err = fmt.Errorf("%w: %w", storage.ErrDamaged, err)
	return fmt.Errorf("dataset: %w", &storage.Error{Op: "read", URL: s.bucket.URL(), Key: s.manifest.Shards[i].Key, Err: err})
}
