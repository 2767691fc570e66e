package progress

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

var (
	middle = status{name: "square", rate: 4_123, Counts: Counts{Queued: 549_984, Running: 16, Done: 450_000}}
	unsure = status{name: "square", rate: 4_123, Counts: Counts{Queued: 300, Running: 16, Done: 12_345, More: true}}
	full   = status{name: "square", rate: 4_123, others: 2, Counts: Counts{
		Queued: 549_984, Running: 16, Done: 450_000, Failed: 3, Retried: 2, Lost: 1,
	}}
	huge = status{name: "huge", rate: math.MaxFloat64, Counts: Counts{
		Queued: math.MaxInt64, Done: math.MaxInt64 - 1,
		Failed: math.MaxInt64, Retried: math.MaxInt64, Lost: math.MaxInt64,
	}}
	wide = status{name: "画像の前処理をする関数", rate: 12.34, Counts: Counts{Queued: 60, Running: 10, Done: 30, Failed: 1}}
	none = status{name: "square"}
)

func TestBarText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		s       status
		columns int
		want    string
	}{
		{"middle", middle, 20, "square 45%, 4,120/s"},
		{"middle", middle, 40, "square [======>       ] 45%, 2m10s left"},
		{"middle", middle, 80, "square [============>              ] 450,000/1,000,000 45%, 4,120/s, 2m10s left"},
		{"middle", middle, 200,
			"square [==================>                     ] 450,000/1,000,000 45%, 4,120/s, 2m10s left"},
		{"full", full, 20, "square 45%, 4,120/s"},
		{"full", full, 40, "square 45%, 2m10s left, 3 failed"},
		{"full", full, 80, "square [=======>         ] 450,000/1,000,000 45%, 4,120/s, 2m10s left, 3 failed"},
		{"full", full, 200, "square [==================>                     ] 450,000/1,000,000 45%, 4,120/s, " +
			"2m10s left, 3 failed, 2 retried, 1 worker lost (+2 jobs)"},
		{"unsure", unsure, 20, "square: 12,345 done"},
		{"unsure", unsure, 40, "square: 12,345 done, 4,120/s"},
		{"unsure", unsure, 80, "square: 12,345 done, 300 queued, 16 running, 4,120/s"},
		{"unsure", unsure, 200, "square: 12,345 done, 300 queued, 16 running, 4,120/s"},
		{"wide", wide, 20, "画像の.. 30/100 30%"},
		{"wide", wide, 40, "画像の前処.. 30%, 6s left, 1 failed"},
		{"wide", wide, 80, "画像の前処理をする関数 [====>           ] 30/100 30%, 12.3/s, 6s left, 1 failed"},
		{"wide", wide, 200, "画像の前処理をする関数 [============>                           ] 30/100 30%, 12.3/s, 6s left, 1 failed"},
		{"huge", huge, 20, "huge 99%, 1s left"},
		{"huge", huge, 80, "huge [========================>] 99%, 1s left, 9,223,372,036,854,775,807 failed"},
		{"huge", huge, 200, "huge [============================>] " +
			"9,223,372,036,854,775,806/9,223,372,036,854,775,807 99%, 1,000,000,000,000,000,000/s, 1s left, " +
			"9,223,372,036,854,775,807 failed, 9,223,372,036,854,775,807 retried"},
		{"none", none, 80, "square: 0 done"},
	} {
		t.Run(fmt.Sprint(c.name, c.columns), func(t *testing.T) {
			t.Parallel()
			if got := c.s.bar(c.columns - 1); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestBarIsNeverTooWide(t *testing.T) {
	t.Parallel()
	long := full
	long.name = strings.Repeat("long and 長い ", 50)
	for _, s := range []status{middle, unsure, full, huge, wide, none, long} {
		for columns := -1; columns < 300; columns++ {
			if n := columnsOf(s.bar(columns)); n > max(columns, 0) {
				t.Fatalf("%d columns of %d: %q", n, columns, s.bar(columns))
			}
		}
	}
}

func TestGraphic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		done, queued int64
		want         string
	}{
		{0, 10, "[          ]"},
		{1, 999, "[>         ]"},
		{29, 71, "[==>       ]"},
		{999, 1, "[=========>]"},
		{10, 0, "[==========]"},
		{math.MaxInt64 - 1, 1, "[=========>]"},
	} {
		if got := (Counts{Done: c.done, Queued: c.queued}).graphic(12); got != c.want {
			t.Errorf("%d done, %d queued: %s, want %s", c.done, c.queued, got, c.want)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	v := newView(sink{}, func() (int, bool) { return 80, true })
	b.ReportAllocs()
	for b.Loop() {
		v.screen.draw(full.bar)
	}
}
