package s3store_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestMemory streams 1 GB, or S3STORE_TEST_GB of them, to the store and back. It does not run beside other tests.
func TestMemory(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("it moves a gigabyte")
	}
	size := int64(1 << 30)
	if gb, err := strconv.ParseInt(os.Getenv("S3STORE_TEST_GB"), 10, 64); err == nil {
		size = gb << 30
	}
	b := fresh(t)
	up := peak(t, func() {
		if err := b.Put(t.Context(), "k", &stream{size: size}); err != nil {
			t.Fatal(err)
		}
	})
	down := peak(t, func() {
		r, err := b.Get(t.Context(), "k", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		got, want := make([]byte, 1<<20), make([]byte, 1<<20)
		for from := (&stream{size: size}); ; {
			n, err := io.ReadFull(r, got)
			m, _ := io.ReadFull(from, want)
			if n != m || !bytes.Equal(got[:n], want[:m]) {
				t.Fatal("other bytes came back")
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Logf("%d MiB: peak of the heap %d MiB up, %d MiB down", size>>20, up>>20, down>>20)
	if most := uint64(80 << 20); up > most || down > most {
		t.Errorf("more than %d MiB", most>>20)
	}
	if err := b.Delete(t.Context(), "k"); err != nil {
		t.Error(err)
	}
}

// peak returns the most that the heap grows while do runs.
func peak(t *testing.T, do func()) (most uint64) {
	t.Helper()
	heap := func() uint64 {
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	runtime.GC()
	runtime.GC() // twice, for what is in pools
	before := heap()
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-end:
				return
			case <-time.After(2 * time.Millisecond):
				most = max(most, heap())
			}
		}
	}()
	do()
	close(end)
	<-ended
	return most - min(most, before)
}

// stream is data of unknown length. Its period divides no part, so that parts in a wrong order are found.
type stream struct{ at, size int64 }

var period = sync.OnceValue(func() []byte {
	p := make([]byte, 1<<20+7)
	_, _ = rand.Read(p) // never fails
	return p
})

func (s *stream) Read(p []byte) (int, error) {
	if s.at == s.size {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), s.size-s.at)], period()[s.at%int64(len(period())):])
	s.at += int64(n)
	return n, nil
}
