package serialize_test

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gowren/gowren/serialize"
)

func TestCompress(t *testing.T) {
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for name, src := range map[string][]byte{"empty": {}, "one": {1}, "zeros": make([]byte, 3<<20), "noise": noise, "text": bytes.Repeat([]byte("a few words, "), 1000)} {
		t.Run(name, func(t *testing.T) {
			packed := serialize.Compress([]byte("head"), src)
			if !bytes.HasPrefix(packed, []byte("head")) {
				t.Fatal("dst is lost")
			}
			got, err := serialize.Decompress([]byte("also"), packed[4:], len(src))
			if err != nil || string(got[:4]) != "also" || !bytes.Equal(got[4:], src) {
				t.Fatalf("%d bytes came back as %d: %v", len(src), len(got)-4, err)
			}
			if len(src) == 0 {
				return
			}
			if out, err := serialize.Decompress([]byte("also"), packed[4:], len(src)-1); err == nil || !strings.Contains(err.Error(), "larger than") || string(out) != "also" {
				t.Fatalf("limit: %v, %q", err, out[:min(len(out), 9)])
			}
			for _, cut := range []int{1, len(packed[4:]) / 2, len(packed[4:]) - 1} {
				if _, err := serialize.Decompress(nil, packed[4:4+cut], len(src)); err == nil {
					t.Errorf("%d bytes of %d decompress", cut, len(packed)-4)
				}
			}
		})
	}
	if _, err := serialize.Decompress(nil, nil, 10); err == nil {
		t.Error("nothing decompresses")
	}
	if _, err := serialize.Decompress(nil, serialize.Compress(nil, []byte{1}), -1); err == nil {
		t.Error("a negative limit is not zero")
	}
}

// TestDecompressMemory is that a small input does not take memory by what it claims to hold.
func TestDecompressMemory(t *testing.T) {
	packed := serialize.Compress(nil, make([]byte, 64<<20))
	cut := packed[:len(packed)/8]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := serialize.Decompress(nil, cut, 1<<30); err == nil {
		t.Error("a part decompresses")
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 256<<20 {
		t.Errorf("%d bytes took %d", len(cut), took)
	}
}

func TestCompressConcurrently(t *testing.T) {
	src := bytes.Repeat([]byte("words and more words "), 5000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, err := serialize.Decompress(nil, serialize.Compress(nil, src), len(src))
			if err != nil || !bytes.Equal(got, src) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
}
