package mapper_test

import (
	"context"
	"testing"

	"github.com/gowren/gowren/mapper"
)

var benchIncrement = mapper.Func("bench-increment", func(_ context.Context, x int) (int, error) { return x + 1, nil })

func TestMain(m *testing.M) {
	mapper.Main()
	m.Run()
}

func open(b testing.TB, url string) *mapper.Executor {
	b.Helper()
	ex, err := mapper.Open(b.Context(), mapper.Config{Backend: url, Storage: "file://" + b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := ex.Close(); err != nil {
			b.Error(err)
		}
	})
	return ex
}

func BenchmarkMap1M(b *testing.B) {
	for _, url := range []string{"inproc://?workers=2", "local://?workers=2"} {
		b.Run(url[:5], func(b *testing.B) {
			ex := open(b, url)
			inputs := make([]int, 1_000_000)
			for i := range inputs {
				inputs[i] = i
			}
			for b.Loop() {
				out, err := mapper.Map(b.Context(), ex, benchIncrement, inputs)
				if err != nil || out[len(out)-1] != len(out) {
					b.Fatal(err, out[len(out)-1])
				}
			}
			b.ReportMetric(float64(len(inputs)*b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

func BenchmarkCall(b *testing.B) {
	for _, url := range []string{"inproc://?workers=2", "local://?workers=2"} {
		b.Run(url[:5], func(b *testing.B) {
			ex := open(b, url)
			for b.Loop() {
				if _, err := mapper.Call(b.Context(), ex, benchIncrement, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
