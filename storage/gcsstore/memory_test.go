package gcsstore

import (
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// moved is how much TestMemory moves.
var moved = flag.Int64("mib", 1024, "MiB that TestMemory moves")

// generator yields n bytes of which each place shows where it is.
type generator struct{ off, n int64 }

func (g *generator) Read(p []byte) (int, error) {
	if g.off == g.n {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), g.n-g.off)]
	for i := range p {
		at := g.off + int64(i)
		p[i] = byte(at) ^ byte(at>>8)*3 ^ byte(at>>16)*5 ^ byte(at>>24)*7
	}
	g.off += int64(len(p))
	return len(p), nil
}

// comparer compares what is written to it with a generator's bytes.
type comparer struct {
	g    generator
	want []byte
}

func (c *comparer) Write(p []byte) (int, error) {
	if len(c.want) < len(p) {
		c.want = make([]byte, len(p))
	}
	at := c.g.off
	n, err := io.ReadFull(&c.g, c.want[:len(p)])
	if err != nil || string(c.want[:n]) != string(p) {
		return 0, fmt.Errorf("other bytes after %d, %w", at, err)
	}
	return len(p), nil
}

// peak returns the largest heap in use while f runs.
func peak(f func()) int64 {
	runtime.GC()
	var highest atomic.Int64
	stop := make(chan struct{})
	var sampler sync.WaitGroup
	sampler.Go(func() {
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			highest.Store(max(highest.Load(), int64(m.HeapAlloc)))
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	f()
	close(stop)
	sampler.Wait()
	return highest.Load()
}

// heapBound is what may be in use while one large object is written or read: twice the parts, as the collector lets it.
const heapBound = 100 << 20

// travel sends an object up from a generator and back down, and reports the heap.
func travel(t *testing.T, b *Bucket, size int64) {
	t.Helper()
	start := time.Now()
	up := peak(func() {
		if err := b.Put(t.Context(), "k", io.MultiReader(&generator{n: size})); err != nil {
			t.Error(err)
		}
	})
	sent := time.Since(start)
	down := peak(func() {
		r, err := b.Get(t.Context(), "k", 0, -1)
		if err != nil {
			t.Error(err)
			return
		}
		defer r.Close()
		n, err := io.CopyBuffer(&comparer{g: generator{n: size}}, struct{ io.Reader }{r}, make([]byte, 256<<10))
		if n != size || err != nil {
			t.Errorf("%d bytes of %d came back, %v", n, size, err)
		}
	})
	t.Logf("%d MiB: heap at most %d MiB up (%v), %d MiB down (%v)", size>>20, up>>20, sent.Round(time.Millisecond), down>>20,
		(time.Since(start) - sent).Round(time.Millisecond))
	if up > heapBound || down > heapBound {
		t.Errorf("heap: %d MiB up, %d MiB down, want at most %d", up>>20, down>>20, heapBound>>20)
	}
}

// TestMemory has no test beside it, whose memory it would count. The real server has all in memory, and sums all of it
// with each part; the larger object goes to one that keeps the sum alone.
func TestMemory(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("it moves a gibibyte")
	}
	t.Run("server", func(t *testing.T) { travel(t, fresh(t), 128<<20) })
	t.Run("stub", func(t *testing.T) { travel(t, openAt(t, newStub(t, new(sink).serve), "bucket"), *moved<<20) })
}

// sink takes one object in parts, forgets it, and yields the generator's bytes for it.
type sink struct {
	mu   sync.Mutex
	size int64
	sum  uint32
}

func (s *sink) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	size, sum := s.size, s.sum
	s.mu.Unlock()
	encoded := func(sum uint32) string {
		return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
	}
	switch {
	case r.Method == http.MethodGet:
		var from, to int64
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		to = min(to, size-1)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, size))
		w.Header().Set("Content-Length", fmt.Sprint(to-from+1))
		w.Header().Set("X-Goog-Generation", "1")
		w.Header().Set("X-Goog-Hash", "crc32c="+encoded(sum))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.Copy(w, &generator{from, to + 1})
	case r.Header.Get("Content-Range") == "":
		w.Header().Set("Location", "http://"+r.Host+"/upload")
	default:
		buf := make([]byte, 64<<10)
		for {
			n, err := r.Body.Read(buf)
			size, sum = size+int64(n), crc32.Update(sum, castagnoli, buf[:n])
			if err != nil {
				break
			}
		}
		s.mu.Lock()
		s.size, s.sum = size, sum
		s.mu.Unlock()
		if strings.HasSuffix(r.Header.Get("Content-Range"), "/*") {
			w.Header().Set("X-Http-Status-Code-Override", "308")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("X-Goog-Hash") != "crc32c="+encoded(sum) {
			http.Error(w, says(400, "invalid", "the checksum is wrong"), http.StatusBadRequest)
			return
		}
		_, _ = fmt.Fprintf(w, `{"name":"k","size":"%d","generation":"1","crc32c":%q}`, size, encoded(sum))
	}
}
