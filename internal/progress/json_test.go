package progress

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestJSON: each line is an object; a job has one for each second, and one at its end, however short it was.
func TestJSON(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out recorder
		v := NewJSON(&out)
		stop := v.Watch("square", steady(10_000, 4_000))
		v.Log("worker 3", "a \"line\"\x1b\n")
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		stop()
		v.Watch("short", func() Counts { return Counts{Done: 1, Cost: 0.25, Failed: 1, Copied: 2, Lost: 3} })()
		v.Watch("odd", func() Counts { return Counts{Cost: math.NaN()} })()
		var all []map[string]any
		for text := range strings.SplitSeq(strings.TrimSuffix(strings.Join(out.take(), ""), "\n"), "\n") {
			var x map[string]any
			if err := json.NewDecoder(bytes.NewReader([]byte(text))).Decode(&x); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			all = append(all, x)
		}
		want := []map[string]any{
			{"label": "worker 3", "line": "a \"line\"\x1b"},
			{"job": "square", "done": 4000., "queued": 5984., "running": 16., "ended": false, "rate": 4000., "left_seconds": 1.5, "elapsed_seconds": 1.},
			{"job": "square", "done": 8000., "ended": false, "elapsed_seconds": 2.},
			{"job": "square", "done": 10000., "ended": true, "elapsed_seconds": 2.5},
			{"job": "short", "done": 1., "failed": 1., "copied": 2., "workers_lost": 3., "cost_usd": 0.25, "ended": true},
			{"error": "json: unsupported value: NaN"},
		}
		if len(all) != len(want) {
			t.Fatalf("%d lines: %v", len(all), all)
		}
		for i, w := range want {
			for key, value := range w {
				if all[i][key] != value {
					t.Errorf("line %d: %s is %v, want %v", i, key, all[i][key], value)
				}
			}
		}
	})
}
