package preprocess

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
)

// BenchmarkScaling fits and applies scalers to blocks in memory, 28 columns wide, beside loops by hand that round as they go.
func BenchmarkScaling(b *testing.B) {
	const columns, blocks = 28, 64
	random := rand.New(rand.NewPCG(1, 2))
	var in dataset.Schema
	var names []string
	for j := range columns {
		names = append(names, fmt.Sprint("c", j))
		in.Columns = append(in.Columns, dataset.Column{Name: names[j], Kind: dataset.Number})
	}
	all := make([]*dataset.Block, blocks)
	for i := range all {
		all[i] = &dataset.Block{Rows: dataset.BlockRows, Columns: make([]dataset.Data, columns)}
		for row := range dataset.BlockRows {
			all[i].IDs = append(all[i].IDs, mix(uint64(i*dataset.BlockRows+row)))
		}
		for j := range columns {
			values := make([]float64, dataset.BlockRows)
			for row := range values {
				values[row] = float64(float32(random.NormFloat64()))
			}
			all[i].Columns[j].Numbers = values
		}
	}
	per := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(blocks*dataset.BlockRows*columns), "ns/value")
		b.ReportMetric(float64(b.N)*blocks*dataset.BlockRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
	}
	for _, step := range []Step{MinMax{}, StandardScore{}, Robust{}, Quantile{}} {
		name := fmt.Sprintf("%T", step)[len("preprocess."):]
		b.Run(name+"/fit", func(b *testing.B) {
			for b.Loop() {
				p, err := step.Plan(in)
				if err != nil {
					b.Fatal(err)
				}
				for _, block := range all {
					if err := p.Fitter.See(in, block); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := p.Fitter.Fit(); err != nil {
					b.Fatal(err)
				}
			}
			per(b)
		})
		b.Run(name+"/apply", func(b *testing.B) {
			f, err := Pipeline{step}.FitBlocks(in, func(yield func(*dataset.Block, error) bool) { yield(all[0], nil) })
			if err != nil {
				b.Fatal(err)
			}
			scratch := make([]*dataset.Block, blocks)
			for i := range all {
				scratch[i] = all[i].Clone()
			}
			b.ReportAllocs()
			for b.Loop() {
				for i, block := range scratch {
					for j := range block.Columns {
						copy(block.Columns[j].Numbers, all[i].Columns[j].Numbers)
					}
					if err := f.Apply(block); err != nil {
						b.Fatal(err)
					}
				}
			}
			per(b)
		})
	}
	b.Run("floor/extent", func(b *testing.B) {
		for b.Loop() {
			var least, most [columns]float64
			for _, block := range all {
				for j, c := range block.Columns {
					low, high := least[j], most[j]
					for _, x := range c.Numbers {
						low, high = min(low, x), max(high, x)
					}
					least[j], most[j] = low, high
				}
			}
		}
		per(b)
	})
	b.Run("floor/moments", func(b *testing.B) {
		for b.Loop() {
			var sums, squares [columns]float64
			for _, block := range all {
				for j, c := range block.Columns {
					sum, square := sums[j], squares[j]
					for _, x := range c.Numbers {
						sum += x
						square += x * x
					}
					sums[j], squares[j] = sum, square
				}
			}
		}
		per(b)
	})
	b.Run("floor/apply", func(b *testing.B) {
		scratch := make([]*dataset.Block, blocks)
		for i := range all {
			scratch[i] = all[i].Clone()
		}
		for b.Loop() {
			for i, block := range scratch {
				for j, c := range block.Columns {
					copy(c.Numbers, all[i].Columns[j].Numbers)
					sub, by := .25, math.Sqrt(.5)
					for i, x := range c.Numbers {
						c.Numbers[i] = (x - sub) * by
					}
				}
			}
		}
		per(b)
	})
	// A million rows: the blocks again and again, with other IDs.
	b.Run("describe", func(b *testing.B) {
		const times = 16
		for b.Loop() {
			if _, err := DescribeBlocks(in, func(yield func(*dataset.Block, error) bool) {
				for range times {
					for _, block := range all {
						for i, id := range block.IDs {
							block.IDs[i] = mix(id)
						}
						if !yield(block, nil) {
							return
						}
					}
				}
			}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(times*blocks*dataset.BlockRows*columns), "ns/value")
	})
}
