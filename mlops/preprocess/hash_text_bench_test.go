package preprocess

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/mlops/dataset/synth"
	_ "github.com/gowren/gowren/storage/filestore" // the text is a file
)

// BenchmarkHashText reads Criteo's text, on all processors, and hashes it or not.
func BenchmarkHashText(b *testing.B) {
	table := synth.NewCriteo(1)
	var text bytes.Buffer
	if err := synth.Write(&text, table, 0, 100_000); err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "clicks.txt"), text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	src := dataset.Source{URLs: []string{"file://" + dir + "/clicks.txt"}, Format: dataset.Format{Name: dataset.Criteo}, Schema: table.Schema(), Split: 1 << 20}
	plan, err := Hash{Bits: 18}.Plan(src.Schema)
	if err != nil {
		b.Fatal(err)
	}
	for _, hash := range []bool{false, true} {
		b.Run(map[bool]string{false: "read", true: "hash"}[hash], func(b *testing.B) {
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				parts, err := src.Parts(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				todo := make(chan dataset.Part, len(parts))
				for _, p := range parts {
					todo <- p
				}
				close(todo)
				var all sync.WaitGroup
				for range runtime.GOMAXPROCS(0) {
					all.Go(func() {
						own := &dataset.Block{}
						for p := range todo {
							for x, err := range src.Blocks(b.Context(), p) {
								if err == nil && hash {
									own.Rows, own.IDs, own.Columns = x.Rows, x.IDs, append(own.Columns[:0], x.Columns...)
									err = plan.Transform.Apply(src.Schema, own)
								}
								if err != nil {
									b.Error(err)
									return
								}
							}
						}
					})
				}
				all.Wait()
			}
		})
	}
}
