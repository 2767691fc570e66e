package httpworker_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/mapper"
)

// answering is a server that answers at once what a worker would, or when it is let go.
func answering(b *testing.B, hold <-chan struct{}) (*httptest.Server, *sync.WaitGroup) {
	reply := wire.AppendEnd(wire.AppendResult(nil, 0, []byte("value")), wire.TypeEnd, &wire.End{Ran: 1})
	var held sync.WaitGroup
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(httpworker.Status{Protocol: wire.Version, Slots: 20000, CPUs: 1, OS: runtime.GOOS, Arch: runtime.GOARCH})
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-gowren-frames")
		if hold != nil {
			w.(http.Flusher).Flush()
			held.Done()
			<-hold
		}
		_, _ = w.Write(reply)
	}))
	b.Cleanup(s.Close)
	return s, &held
}

func prepared(b *testing.B, url string, concurrency int) *httpworker.Backend {
	w, err := httpworker.New(httpworker.Config{URLs: []string{url}, Concurrency: concurrency})
	if err == nil {
		err = w.Prepare(b.Context(), backends.Deployment{Program: os.Getenv("GOWREN_PROGRAM")})
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { w.Close() })
	return w
}

// BenchmarkInvoke measures the driver's side, with the server in the same process. The floor is net/http by itself: the
// same requests and answers, without gowren.
func BenchmarkInvoke(b *testing.B) {
	body := wire.AppendRequest(nil, &wire.Request{Function: "f", Tasks: []wire.Task{{Attempt: 1, Data: make([]byte, 100)}}})
	b.Run("gowren", func(b *testing.B) {
		s, _ := answering(b, nil)
		w := prepared(b, s.URL, 256)
		b.SetParallelism(64)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				r, err := w.Invoke(b.Context(), backends.Request{Body: body})
				if err == nil {
					_, err = io.Copy(io.Discard, r)
				}
				if err != nil {
					b.Error(err)
					return
				}
				_ = r.Close()
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "invocations/s")
	})
	b.Run("floor", func(b *testing.B) {
		s, _ := answering(b, nil)
		transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		b.SetParallelism(64)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				r, err := client.Post(s.URL, "x", bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				_ = r.Body.Close()
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "invocations/s")
	})
}

// BenchmarkInFlight holds near ten thousand invocations open, and reports the memory of both sides for each.
func BenchmarkInFlight(b *testing.B) {
	const n = 9500 // both ends of a connection are files of this process, which may have 20,000
	for b.Loop() {
		hold := make(chan struct{})
		s, held := answering(b, hold)
		held.Add(n)
		w := prepared(b, s.URL, n)
		body := wire.AppendRequest(nil, &wire.Request{Function: "f"})
		before := inUse()
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				r, err := w.Invoke(b.Context(), backends.Request{Body: body})
				if err != nil {
					b.Error(err)
					held.Done()
					return
				}
				defer r.Close()
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Error(err)
				}
			})
		}
		held.Wait()
		b.ReportMetric(float64(inUse()-before)/n, "B/invocation")
		close(hold)
		all.Wait()
		s.Close()
	}
}

// inUse is the memory that this process has got from the system.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased
}

// BenchmarkEnd measures the time from the end of a task to the driver's knowing it, in batches of several tasks whose
// workers are on this machine and have its clock.
func BenchmarkEnd(b *testing.B) {
	bucket := newBucket(b)
	url, _ := startWorker(b, bucket)
	ex := mustOpen(b, bucket, url)
	inputs := make([]time.Duration, 50)
	for i := range inputs {
		inputs[i] = time.Duration(1+i%20) * time.Millisecond
	}
	var late []time.Duration
	for b.Loop() {
		job, err := mapper.Start(b.Context(), ex.With(mapper.Options{BatchSize: 10}), clock, mapper.Inputs(slices.Values(inputs)))
		if err != nil {
			b.Fatal(err)
		}
		for r, err := range job.Results() {
			if err != nil {
				b.Fatal(err)
			}
			late = append(late, time.Since(time.Unix(0, r.Value)))
		}
	}
	slices.Sort(late)
	b.ReportMetric(float64(late[len(late)/2].Microseconds()), "median-µs")
	b.ReportMetric(float64(late[len(late)*99/100].Microseconds()), "p99-µs")
}
