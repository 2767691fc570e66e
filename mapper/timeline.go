package mapper

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"math"
	"time"
)

// WriteJSON writes all of s as one JSON object. Durations are in nanoseconds.
func (s Stats) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "\t")
	if err := e.Encode(s); err != nil {
		return fmt.Errorf("mapper: statistics: %w", err)
	}
	return nil
}

// The timeline's measures, in pixels.
const (
	timelineWidth = 1200
	timelineLeft  = 60
	timelineTop   = 64
	timelineRows  = 1000 // at most
)

// WriteTimeline draws when which worker had what to do, as an SVG: a row for each worker, in the order in which they came; a
// bar for each request, thin while the worker was waited for, coloured by what came of it, and where all is well by the
// step of the job; and what it was as its title, which browsers show where one points. A thousand workers are drawn at most.
func (s Stats) WriteTimeline(w io.Writer) error {
	if _, err := w.Write(s.drawTimeline()); err != nil {
		return fmt.Errorf("mapper: timeline: %w", err)
	}
	return nil
}

// drawTimeline returns the drawing: some 200 bytes for each span.
func (s Stats) drawTimeline() []byte {
	var w []byte
	add := func(format string, args ...any) { w = fmt.Appendf(w, format, args...) }
	var end time.Duration = 1
	rows := 0
	for _, x := range s.Spans {
		end, rows = max(end, x.Ended), max(rows, x.Worker+1)
	}
	hidden := max(rows-timelineRows, 0)
	rows -= hidden
	pitch := min(max(600/max(rows, 1), 4), 16)
	height := timelineTop + rows*pitch + 40
	scale := float64(timelineWidth-timelineLeft-20) / float64(end)
	at := func(d time.Duration) float64 { return timelineLeft + float64(d)*scale }

	add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", timelineWidth, height)
	add("%s", timelineStyle)
	add(`<rect class="paper" width="%d" height="%d"/>`+"\n", timelineWidth, height)
	add(`<text class="ink" x="%d" y="20" font-size="14">%s</text>`+"\n", timelineLeft, html.EscapeString(s.headline(end)))
	x := timelineLeft
	key := func(class, text string) {
		add(`<rect class="%s" x="%d" y="32" width="10" height="10"/><text class="ink" x="%d" y="41">%s</text>`+"\n", class, x, x+14, html.EscapeString(text))
		x += 40 + 7*len(text)
	}
	for i, name := range s.Steps[:min(len(s.Steps), 4)] {
		key(fmt.Sprintf("%s s%d", SpanDone, i), name)
	}
	for _, k := range []SpanKind{SpanFailed, SpanCopy, SpanUnused, SpanLost, SpanThrottled} {
		key(string(k), string(k))
	}
	for _, t := range ticks(end) {
		add(`<line class="grid" x1="%.1f" x2="%[1]f" y1="%d" y2="%d"/><text class="ink" x="%.1f" y="%d" text-anchor="middle">%v</text>`+"\n",
			at(t), timelineTop-6, height-34, at(t), height-20, t)
	}
	add(`<text class="ink" x="%d" y="%d" text-anchor="end">worker 0</text>`+"\n", timelineLeft-4, timelineTop+10)
	if rows > 1 {
		add(`<text class="ink" x="%d" y="%d" text-anchor="end">%d</text>`+"\n", timelineLeft-4, timelineTop+rows*pitch-2, rows-1)
	}
	for _, x := range s.Spans {
		if x.Worker >= rows {
			continue
		}
		y := timelineTop + x.Worker*pitch
		add(`<g class="%s s%d"><title>%s</title>`, x.Kind, min(x.Step, 3), html.EscapeString(s.title(x)))
		if x.Start > x.Begun {
			add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" opacity=".45"/>`, at(x.Begun), float64(y)+float64(pitch)/3, at(x.Start)-at(x.Begun), float64(pitch)/4)
		}
		add(`<rect x="%.1f" y="%d" width="%.1f" height="%d"/></g>`+"\n", at(x.Start), y, max(at(x.Ended)-at(x.Start), 0.5), max(pitch-1, 3))
	}
	if hidden > 0 {
		add(`<text class="ink" x="%d" y="%d">and %d more workers, not drawn</text>`+"\n", timelineLeft, height-4, hidden)
	}
	add("</svg>\n")
	return w
}

const timelineStyle = `<style>
.paper{fill:#fff}.ink{fill:#222}.grid{stroke:#ddd}
.done{fill:#3b7dd8}.copy{fill:#8a5cc4}.unused{fill:#b5b5b5}.failed{fill:#e07b39}.lost{fill:#d13438}.throttled{fill:#e0a100}
.done.s1{fill:#46a38b}.done.s2{fill:#7fb3e6}.done.s3{fill:#9bd0b5}
@media (prefers-color-scheme:dark){.paper{fill:#16181c}.ink{fill:#ddd}.grid{stroke:#33363c}}
</style>
`

func (s Stats) headline(end time.Duration) string {
	line := fmt.Sprintf("%s: %d tasks in %v by %d workers", s.Function, s.Done, roundTo(end), s.Workers)
	if s.SpansMerged {
		line += "; requests that followed one another are drawn as one"
	}
	if s.SpansDropped > 0 {
		line += fmt.Sprintf("; the first %d are not drawn", s.SpansDropped)
	}
	return line
}

// roundTo rounds to four digits or so.
func roundTo(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 10_000 {
		unit *= 10
	}
	return d.Round(unit)
}

func (s Stats) title(x Span) string {
	title := ""
	if x.Step >= 0 && x.Step < len(s.Steps) {
		title = s.Steps[x.Step] + ", "
	}
	if x.Tasks == 1 {
		title += fmt.Sprintf("task %d", x.First)
	} else {
		title += fmt.Sprintf("%d tasks from %d on", x.Tasks, x.First)
	}
	title += fmt.Sprintf(": %s, %v", x.Kind, (x.Ended - x.Start).Round(time.Microsecond))
	if x.Start > x.Begun {
		title += fmt.Sprintf(", after %v", (x.Start - x.Begun).Round(time.Microsecond))
	}
	return title
}

// ticks are about ten times for an axis, at round distances.
func ticks(end time.Duration) []time.Duration {
	step := math.Pow(10, math.Floor(math.Log10(float64(end)/5)))
	for _, f := range []float64{1, 2, 5, 10} {
		if float64(end)/(step*f) <= 10 {
			step *= f
			break
		}
	}
	var all []time.Duration
	for t := 0.0; t <= float64(end); t += max(step, 1) {
		all = append(all, time.Duration(t))
	}
	return all
}
