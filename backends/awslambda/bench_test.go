package awslambda_test

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	"github.com/gowren/gowren/internal/servers/lambda"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/storage"
)

// event is a message of an event stream with a type and a payload.
func event(kind string, payload []byte) []byte {
	var headers []byte
	for _, h := range [][2]string{{":event-type", kind}, {":content-type", "application/octet-stream"}, {":message-type", "event"}} {
		headers = append(append(headers, byte(len(h[0]))), h[0]...)
		headers = append(binary.BigEndian.AppendUint16(append(headers, 7), uint16(len(h[1]))), h[1]...)
	}
	m := binary.BigEndian.AppendUint32(nil, uint32(16+len(headers)+len(payload)))
	m = binary.BigEndian.AppendUint32(m, uint32(len(headers)))
	m = binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(m))
	m = append(append(m, headers...), payload...)
	return binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(m))
}

// prompt is a server that answers at once, in Lambda's place.
func prompt(t testing.TB) string {
	s := httptest.NewServer(prompter(nil, nil))
	t.Cleanup(s.Close)
	return s.URL
}

// prompter answers at once, or, with a gate, waits for that in the middle of the reply.
func prompter(gate <-chan struct{}, began func()) http.Handler {
	chunk := event("PayloadChunk", wire.AppendEnd(nil, wire.TypeEnd, &wire.End{Ran: 1}))
	last := event("InvokeComplete", []byte("{}"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		if gate != nil {
			_, _ = w.Write(event("PayloadChunk", wire.AppendFrame(nil, wire.TypeBeat, nil)))
			_ = http.NewResponseController(w).Flush()
			began()
			<-gate
		}
		_, _ = w.Write(append(chunk[:len(chunk):len(chunk)], last...))
	})
}

func benchCloud(t testing.TB) (*cloud, storage.Bucket) {
	return newCloud(t, lambda.Options{Unconfined: true}), newBucket(t)
}

// BenchmarkInvoke is the driver's side of an invocation, against a server on this machine that answers at once. Its
// floor is the same requests by net/http alone.
func BenchmarkInvoke(b *testing.B) {
	c, bucket := benchCloud(b)
	const atOnce = 64
	url := prompt(b)
	b.Run("driver", func(b *testing.B) {
		back := c.misledBench(b, atOnce, url, bucket)
		many(b, atOnce, func() error {
			r, err := back.Invoke(b.Context(), backends.Request{Body: make([]byte, 1000)})
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, r)
			r.Close()
			return err
		})
	})
	b.Run("floor", func(b *testing.B) {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}
		defer client.CloseIdleConnections()
		many(b, atOnce, func() error {
			r, err := client.Post(url, "application/json", http.NoBody)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, r.Body)
			r.Body.Close()
			return err
		})
	})
}

func (c *cloud) misledBench(b testing.TB, n int, url string, bucket storage.Bucket) *awslambda.Backend {
	back, err := awslambda.New(awslambda.Config{Concurrency: n})
	if err != nil {
		b.Fatal(err)
	}
	cfg := c.aws.Copy()
	cfg.BaseEndpoint = &url
	if err := back.Mislead(context.Background(), cfg, bucket); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { back.Close() })
	return back
}

// many does b.N things, so many at once, and tells how many a second.
func many(b *testing.B, atOnce int, do func() error) {
	work := make(chan struct{})
	var all sync.WaitGroup
	b.ResetTimer()
	for range atOnce {
		all.Go(func() {
			for range work {
				if err := do(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "invocations/s")
}

// BenchmarkInFlight is the memory for 10,000 invocations under way. The server is in this process, and its part is in the
// number. Connections are pipes, since a process may not have so many files.
func BenchmarkInFlight(b *testing.B) {
	const n = 10_000
	c, bucket := benchCloud(b)
	for range b.N {
		gate := make(chan struct{})
		var begun sync.WaitGroup
		begun.Add(n)
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		s := &http.Server{Handler: prompter(gate, begun.Done)}
		go func() { _ = s.Serve(l) }() // until its end
		c.aws.HTTPClient = &http.Client{Transport: &http.Transport{
			MaxIdleConnsPerHost: n, DialContext: func(context.Context, string, string) (net.Conn, error) { return l.dial() },
		}}
		back := c.misledBench(b, n, "http://pipe", bucket)
		before := memory()
		var ended sync.WaitGroup
		for range n {
			ended.Go(func() {
				r, err := back.Invoke(b.Context(), backends.Request{Body: make([]byte, 1000)})
				if err == nil {
					_, err = io.Copy(io.Discard, r)
					r.Close()
				}
				if err != nil {
					b.Error(err)
				}
			})
		}
		begun.Wait()
		b.ReportMetric(float64(memory()-before)/(1<<20), "MB")
		close(gate)
		ended.Wait()
		back.Close()
		c.aws.HTTPClient.(*http.Client).CloseIdleConnections()
		s.Close()
	}
}

// pipes is a listener in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) dial() (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.closed); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// BenchmarkColdStart is the time from the start of a worker's process until it asks for its first invocation.
func BenchmarkColdStart(b *testing.B) {
	asked := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	b.Cleanup(s.Close)
	root := b.TempDir()
	if err := os.WriteFile(root+"/program.sha256", []byte("0000000000000000000000000000000000000000000000000000000000000000"), 0o600); err != nil {
		b.Fatal(err)
	}
	var total time.Duration
	for b.Loop() {
		cmd := exec.Command(os.Getenv("GOWREN_PROGRAM"))
		cmd.Env = []string{backends.RoleVariable + "=awslambda", backends.BucketVariable + "=s3://bucket", "AWS_LAMBDA_RUNTIME_API=" + s.Listener.Addr().String(),
			"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1769", "LAMBDA_TASK_ROOT=" + root, "GORACE=atexit_sleep_ms=0"}
		begun := time.Now()
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		<-asked
		total += time.Since(begun)
		if err := cmd.Process.Kill(); err != nil {
			b.Error(err)
		}
		_ = cmd.Wait() // it was killed
	}
	b.ReportMetric(float64(total.Microseconds())/1000/float64(b.N), "start-ms")
}
