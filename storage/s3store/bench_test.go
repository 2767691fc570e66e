package s3store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/storagetest"
)

func BenchmarkBucket(b *testing.B) {
	storagetest.Bench(b, func(b *testing.B) storage.Bucket { return fresh(b) })
}

const (
	atOnce = 16 // as a worker has it
	large  = 64 << 20
)

// floor is what HTTP costs without this driver and without the SDK's operations: one signed request an object, and no
// checksums.
type floor struct {
	s      servers.S3Server
	bucket string
}

func (f floor) do(ctx context.Context, method, key string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, method, f.s.Endpoint+"/"+f.bucket+"/"+key, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	err = v4.NewSigner().SignHTTP(ctx, aws.Credentials{AccessKeyID: f.s.AccessKey, SecretAccessKey: f.s.SecretKey}, r,
		"UNSIGNED-PAYLOAD", "s3", f.s.Region, time.Now())
	if err != nil {
		return err
	}
	answer, err := plain.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", method, key, answer.Status)
	}
	_, err = discard(answer.Body)
	return err
}

var discards = sync.Pool{New: func() any { p := make([]byte, 256<<10); return &p }}

// discard reads to the end, without making garbage of its own.
func discard(r io.Reader) (int64, error) {
	p := discards.Get().(*[]byte)
	defer discards.Put(p)
	return io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, *p)
}

// cpu returns what this process has used. The server is another.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// run does b.N objects, 16 at once, and reports the client's processor time.
func run(b *testing.B, size int64, do func(ctx context.Context, key string) error) {
	b.Helper()
	b.StopTimer()
	if size > 0 {
		b.SetBytes(size)
	}
	runtime.GC()
	before := cpu()
	b.ResetTimer()
	b.StartTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(atOnce, b.N) {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := do(b.Context(), fmt.Sprintf("o/%05d", i)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

func read(ctx context.Context, b storage.Bucket, key string, size int64) error {
	r, err := b.Get(ctx, key, 0, -1)
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := discard(r)
	if err == nil && n != size {
		err = fmt.Errorf("%d bytes", n)
	}
	return err
}

// BenchmarkLarge moves objects of 64 MiB, each from memory.
func BenchmarkLarge(b *testing.B) { transfer(b, large) }

// BenchmarkSmall moves objects of 1 KB.
func BenchmarkSmall(b *testing.B) {
	transfer(b, 1000)
	bucket := fresh(b)
	fill := func(b *testing.B) {
		run(b, 0, func(ctx context.Context, key string) error { return bucket.Put(ctx, key, strings.NewReader(key)) })
	}
	b.Run("list", func(b *testing.B) {
		fill(b)
		before := cpu()
		b.ResetTimer()
		b.StartTimer()
		n := 0
		for _, err := range bucket.List(b.Context(), "") {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		b.StopTimer()
		b.ReportMetric(float64((cpu()-before).Microseconds())/float64(n), "cpu-µs/op")
	})
	b.Run("delete", func(b *testing.B) {
		fill(b)
		keys := make([]string, b.N)
		for i := range keys {
			keys[i] = fmt.Sprintf("o/%05d", i+1)
		}
		before := cpu()
		b.ResetTimer()
		b.StartTimer()
		if err := bucket.Delete(b.Context(), keys...); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
	})
}

// transfer writes objects and reads them, by the driver and by the floor.
func transfer(b *testing.B, size int64) {
	s := server(b)
	name, rawURL := newBucket(b, s, s.Endpoint)
	bucket, f := open(b, rawURL), floor{s, name}
	data := make([]byte, size)
	_, _ = rand.Read(data)
	b.Run("write/driver", func(b *testing.B) {
		run(b, size, func(ctx context.Context, key string) error { return bucket.Put(ctx, key, bytes.NewReader(data)) })
	})
	b.Run("read/driver", func(b *testing.B) {
		written(b, bucket, data)
		run(b, size, func(ctx context.Context, key string) error { return read(ctx, bucket, key, size) })
	})
	b.Run("write/floor", func(b *testing.B) {
		run(b, size, func(ctx context.Context, key string) error { return f.do(ctx, http.MethodPut, key, data) })
	})
	b.Run("read/floor", func(b *testing.B) {
		written(b, bucket, data)
		run(b, size, func(ctx context.Context, key string) error { return f.do(ctx, http.MethodGet, key, nil) })
	})
}

// written makes sure that the objects are there, by the driver.
func written(b *testing.B, bucket storage.Bucket, data []byte) {
	run(b, int64(len(data)), func(ctx context.Context, key string) error {
		if o, err := bucket.Stat(ctx, key); err == nil && o.Size == int64(len(data)) {
			return nil
		}
		return bucket.Put(ctx, key, bytes.NewReader(data))
	})
}
