package preprocess

import (
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/mlops/dataset/synth"
)

// BenchmarkHash hashes rows of 13 numbers and 26 categories, as a step, and only their values: what is between the two is
// adding up, in the order of the places. Bytes are those of the rows as text.
func BenchmarkHash(b *testing.B) {
	table := synth.NewCriteo(1)
	var blocks []*dataset.Block
	for x, err := range synth.Blocks(table, 0, 16*dataset.BlockRows) {
		if err != nil {
			b.Fatal(err)
		}
		blocks = append(blocks, x.Clone())
	}
	bytes := 0
	for row := range int64(1000) {
		bytes += len(table.Append(nil, row))
	}
	bytes = bytes * dataset.BlockRows / 1000
	values := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/dataset.BlockRows/39, "ns/value")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/dataset.BlockRows, "ns/row")
	}
	in := table.Schema()
	plan, err := Hash{Bits: 18}.Plan(in)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("step", func(b *testing.B) {
		b.SetBytes(int64(bytes))
		b.ReportAllocs()
		own := &dataset.Block{}
		for i := 0; b.Loop(); i++ {
			from := blocks[i%len(blocks)]
			own.Rows, own.IDs, own.Columns = from.Rows, from.IDs, append(own.Columns[:0], from.Columns...)
			if err := plan.Transform.Apply(in, own); err != nil {
				b.Fatal(err)
			}
		}
		values(b)
	})
	b.Run("hashes", func(b *testing.B) {
		b.SetBytes(int64(bytes))
		var begins []murmur
		for _, c := range in.Columns {
			begins = append(begins, murmurOf(c.Name+"="))
		}
		sum := uint32(0)
		for i := 0; b.Loop(); i++ {
			x := blocks[i%len(blocks)]
			for c := 14; c < len(in.Columns); c++ {
				s := &x.Columns[c].Strings
				for row := range x.Rows {
					sum += begins[c].sum(s.At(row))
				}
			}
		}
		if sum == 0 {
			b.Log("the sum of all hashes is 0")
		}
		values(b)
	})
}

// BenchmarkTFIDF weighs the words of texts of about a hundred words.
func BenchmarkTFIDF(b *testing.B) {
	c := columnOf("text")
	size := 0
	for row := range 512 {
		text := ""
		for i := range 100 {
			text += []string{"the ", "Quick ", "brown ", "fox_", "jumps ", "42 ", "über "}[(row*i+i*i)%7] + string(rune('a'+(row+i)%26)) + string(rune('a'+i%17)) + " "
		}
		size += len(text)
		c.values[0] = append(c.values[0], text)
	}
	order := make([]int, 512)
	for i := range order {
		order[i] = i
	}
	from := c.block(order)
	f := c.fit(b, TFIDF{Words: Words{Column: "text"}})
	b.SetBytes(int64(size))
	b.ReportAllocs()
	own := &dataset.Block{}
	for b.Loop() {
		own.Rows, own.IDs, own.Columns = from.Rows, from.IDs, append(own.Columns[:0], from.Columns...)
		if err := f.Apply(own); err != nil {
			b.Fatal(err)
		}
	}
}
