package shuffle

import (
	"errors"
	"testing"
)

// TestCheck: what a worker claims is used only where it can be.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parts int
		out   Output
		ok    bool
	}{
		"nothing":            {3, Output{}, true},
		"inline":             {2, Output{Data: make([]byte, 10), Runs: []Run{{Parts: []int64{4, 6}}}}, true},
		"object":             {2, Output{Name: "x", Runs: []Run{{Off: 1 << 40, Parts: []int64{4, 6}}}}, true},
		"sorting":            {0, Output{Name: "x", Runs: []Run{{Size: 9, Points: []Point{{Off: 0}, {Off: 5}}}}}, true},
		"beyond the data":    {2, Output{Data: make([]byte, 9), Runs: []Run{{Parts: []int64{4, 6}}}}, false},
		"before the data":    {1, Output{Data: make([]byte, 9), Runs: []Run{{Off: -1, Parts: []int64{4}}}}, false},
		"too few partitions": {3, Output{Name: "x", Runs: []Run{{Parts: []int64{4, 6}}}}, false},
		"negative":           {2, Output{Name: "x", Runs: []Run{{Parts: []int64{4, -1}}}}, false},
		"overflow":           {2, Output{Name: "x", Runs: []Run{{Parts: []int64{1 << 62, 1 << 62}}}}, false},
		"negative size":      {0, Output{Name: "x", Runs: []Run{{Size: -9}}}, false},
		"no points":          {0, Output{Name: "x", Runs: []Run{{Size: 9}}}, false},
		"points not at 0":    {0, Output{Name: "x", Runs: []Run{{Size: 9, Points: []Point{{Off: 1}}}}}, false},
		"points fall":        {0, Output{Name: "x", Runs: []Run{{Size: 9, Points: []Point{{}, {Off: 5}, {Off: 4}}}}}, false},
		"point beyond":       {0, Output{Name: "x", Runs: []Run{{Size: 9, Points: []Point{{}, {Off: 9}}}}}, false},
		"another folder":     {2, Output{Name: "../x", Runs: nil}, false},
	} {
		if err := c.out.Check(c.parts); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
