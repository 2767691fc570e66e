package serialize

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Both are made at the first use, start no goroutines, and may be used by many at once.
var (
	compressor = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithZeroFrames(true))
		if err != nil {
			panic(err) // options that do not go together
		}
		return e
	})
	decompressor = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderConcurrency(0))
		if err != nil {
			panic(err)
		}
		return d
	})
)

// Compress appends src to dst as a zstd frame. It is safe for concurrent use.
func Compress(dst, src []byte) []byte { return compressor().EncodeAll(src, dst) }

// Decompress appends to dst what the zstd frames in src hold, or fails where that is more than limit bytes. It takes
// memory for at most twice the result, or 64 times src where that is more, whatever src claims to hold. On an error it
// returns dst as it was. It is safe for concurrent use.
func Decompress(dst, src []byte, limit int) ([]byte, error) {
	out, err := decompress(dst, src, max(limit, 0))
	if err != nil {
		return dst, fmt.Errorf("serialize: decompress %d bytes: %w", len(src), err)
	}
	return out, nil
}

func decompress(dst, src []byte, limit int) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	if len(src) == 0 {
		return nil, errors.New("there is nothing")
	}
	for room := min(firstRoom(src), limit); ; room = min(2*room, limit) {
		dst = slices.Grow(dst, room)
		out, err = decompressor().DecodeAll(src, dst[:len(dst):len(dst)+room])
		if !errors.Is(err, zstd.ErrDecoderSizeExceeded) {
			return out, err
		}
		if room == limit {
			return nil, fmt.Errorf("the result is larger than %d bytes", limit)
		}
	}
}

// firstRoom is how much memory to try first: what src says that it takes, in reason, or a guess.
func firstRoom(src []byte) int {
	const least = 64 << 10
	reason := max(64*len(src), least)
	var head zstd.Header
	if head.Decode(src) == nil && head.HasFCS && head.FrameContentSize <= uint64(reason) {
		return int(head.FrameContentSize) + 1
	}
	return min(max(8*len(src), least), reason)
}
