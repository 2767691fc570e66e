package mapper_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

// TestJSON: the shape of what WriteJSON writes stays as others have come to read it.
func TestJSON(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	s := mapper.Stats{
		Job: "j", Function: "f", Done: 1, Failed: 2, Retried: 3, Resumed: 4, Invocations: 5, WorkersLost: 6, Throttled: 7, Copies: 8,
		Started: begin, Ended: begin.Add(time.Second), Workers: 9, ColdStarts: 10, Busy: 11, CPU: 12, PeakMemory: 13,
		Tasks:    mapper.Times{N: 1, P50: 2, P90: 3, P99: 4, Max: 5, Buckets: []mapper.Bucket{{UpTo: 6, N: 7}}},
		Slowest:  []mapper.SlowTask{{Function: "f", Index: 1, Took: 2, Worker: "w"}},
		Failures: []mapper.FailedTask{{Function: "f", Index: 2, Attempts: 3, Worker: "w", Error: "bad"}},
		Sent:     14, Received: 15, Store: storage.Stats{Requests: [...]int64{1, 2, 3, 4, 5}, Retries: 6, Sent: 7, Received: 8}, Cost: mapper.Cost{Backend: 1, Store: 2, Total: 3},
		Steps: []string{"f"}, Spans: []mapper.Span{{Worker: 1, Step: 7, Kind: mapper.SpanCopy, Begun: 2, Start: 3, Ended: 4, Tasks: 5, First: 6}}, SpansMerged: true, SpansDropped: 16,
	}
	var got bytes.Buffer
	if err := s.WriteJSON(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(statsJSON, got.String()); diff != "" {
		t.Error(diff)
	}
}

const statsJSON = `{
	"job": "j",
	"function": "f",
	"done": 1,
	"failed": 2,
	"retried": 3,
	"resumed": 4,
	"invocations": 5,
	"workers_lost": 6,
	"throttled": 7,
	"copies": 8,
	"started": "2026-02-03T04:05:06Z",
	"ended": "2026-02-03T04:05:07Z",
	"workers": 9,
	"cold_starts": 10,
	"busy": 11,
	"cpu": 12,
	"peak_memory": 13,
	"tasks": {
		"n": 1,
		"p50": 2,
		"p90": 3,
		"p99": 4,
		"max": 5,
		"buckets": [
			{
				"up_to": 6,
				"n": 7
			}
		]
	},
	"starts": {
		"n": 0,
		"p50": 0,
		"p90": 0,
		"p99": 0,
		"max": 0
	},
	"slowest": [
		{
			"function": "f",
			"index": 1,
			"took": 2,
			"worker": "w"
		}
	],
	"failures": [
		{
			"function": "f",
			"index": 2,
			"attempts": 3,
			"worker": "w",
			"error": "bad"
		}
	],
	"sent": 14,
	"received": 15,
	"store": {
		"requests": [
			1,
			2,
			3,
			4,
			5
		],
		"retries": 6,
		"sent": 7,
		"received": 8
	},
	"cost": {
		"backend": 1,
		"store": 2,
		"total": 3
	},
	"steps": [
		"f"
	],
	"spans": [
		{
			"worker": 1,
			"step": 7,
			"kind": "copy",
			"begun": 2,
			"started": 3,
			"ended": 4,
			"tasks": 5,
			"first": 6
		}
	],
	"spans_merged": true,
	"spans_dropped": 16
}
`
