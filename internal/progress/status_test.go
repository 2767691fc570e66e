package progress

import (
	"math"
	"testing"
	"time"
)

func TestPlainText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		s    status
		want string
	}{
		{"known", status{name: "square", rate: 4_103, Counts: Counts{Queued: 987_639, Running: 16, Done: 12_345, Failed: 3}},
			"square: 12,345 of 1,000,000 tasks (1%), 4,100/s, 4m left, 3 failed"},
		{"everything", full,
			"square: 450,000 of 1,000,000 tasks (45%), 4,120/s, 2m10s left, 3 failed, 2 retried, 1 worker lost (+2 jobs)"},
		{"copies and cost", status{name: "square", Counts: Counts{Done: 3, Copied: 2, Cost: 0.01234}}, "square: 3 of 3 tasks (100%), 0/s, 2 copied, $0.0123"},
		{"total unknown", unsure, "square: 12,345 done, 300 queued, 16 running, 4,120/s"},
		{"cold", status{name: "square", Counts: Counts{Queued: 1}}, "square: 0 of 1 task (0%)"},
		{"stalled", status{name: "square", rate: 0, Counts: Counts{Done: 1, Running: 1}}, "square: 1 of 2 tasks (50%), 0/s"},
		{"no tasks", none, "square: 0 done"},
		{"all done", status{name: "square", rate: 2, Counts: Counts{Done: 29}}, "square: 29 of 29 tasks (100%), 2/s"},
		{"no rounding down", status{name: "square", Counts: Counts{Done: 29, Queued: 71}}, "square: 29 of 100 tasks (29%), 0/s"},
		{"huge", huge, "huge: 9,223,372,036,854,775,806 of 9,223,372,036,854,775,807 tasks (99%), 1,000,000,000,000,000,000/s, " +
			"1s left, 9,223,372,036,854,775,807 failed, 9,223,372,036,854,775,807 retried, 9,223,372,036,854,775,807 workers lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.s.plain(); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestFinalText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		c       Counts
		elapsed time.Duration
		want    string
	}{
		{"everything", Counts{Done: 1_000_000, Failed: 3, Retried: 2, Lost: 1}, 1232 * time.Millisecond,
			"square: 1,000,000 tasks in 1.2s (812,000/s), 3 failed, 2 retried, 1 worker lost"},
		{"dear", Counts{Done: 1, Copied: 1, Cost: 12.345}, time.Second, "square: 1 task in 1s (1/s), 1 copied, $12.35"},
		{"one task", Counts{Done: 1, Lost: 2}, time.Minute, "square: 1 task in 1m (1/min), 2 workers lost"},
		{"cut short", Counts{Done: 1, Running: 2, Queued: 3}, 600 * time.Millisecond, "square: 1 of 6 tasks in 600ms (1.67/s)"},
		{"cut short, total unknown", Counts{Done: 5, Queued: 3, More: true}, 5 * time.Second, "square: 5 tasks in 5s (1/s)"},
		{"no tasks", Counts{}, time.Second, "square: 0 tasks in 1s"},
		{"no time", Counts{Done: 1}, 0, "square: 1 task in 0ms"},
		{"nonsense", Counts{Done: -1, Failed: -5, Lost: math.MinInt64}.sane(), time.Second, "square: 0 tasks in 1s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := final("square", c.c, c.elapsed); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}
