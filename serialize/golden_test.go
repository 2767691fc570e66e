package serialize_test

import (
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/serialize"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden holds the wire format: what one release writes, the next must read, and hashes of it must agree.
func TestGolden(t *testing.T) {
	e := filled()
	for name, values := range map[string][]any{
		"scalars":    {0, -1, 300, int8(-1), int64(5), uint64(5), float32(1.5), 1.5, true, "text", []byte{1, 2}, 1i, complex64(1)},
		"slices":     append(numericSlices(), []float64(nil), []float64{}, [][]float64{{1}, nil, {}}, make([]float64, 40)),
		"interfaces": {[]any{1, int8(1), int64(1), uint(1), float32(1), "s", nil, []any{}, map[string]any{"b": 1, "a": []int{2}}}},
		"maps":       {map[string]int{"b": 1, "a": 2, "longer than eight bytes": 3}, map[int]bool{-1: true, 5: false, 1: true}, map[point]string{{2, 1}: "x", {1, 2}: "y"}, map[float64]int{1: 1, -1: 2}},
		"times":      {time.Time{}, time.Unix(1, 0).UTC(), time.Unix(1, 1).UTC(), time.Unix(1, 0).In(time.FixedZone("CET", 3600))},
		"structs":    {&e, derived{base{"1", "k"}, &Public{2}, "n"}, asArray{A: 1}, []multi{{"a", 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			var lines strings.Builder
			for _, x := range values {
				b, err := serialize.Marshal(x)
				if err != nil {
					t.Fatal(err)
				}
				lines.WriteString(hex.EncodeToString(b) + "\n")
			}
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(lines.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if lines.String() != string(want) {
				t.Errorf("the format changed; got\n%swant\n%s", lines.String(), want)
			}
		})
	}
}
