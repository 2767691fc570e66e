package progress

import (
	"encoding/json"
	"io"
	"strings"
	"time"
)

// jsonPeriod is the time between the lines about a job.
const jsonPeriod = time.Second

// NewJSON returns a view that writes an object on a line of its own for each thing that it tells, for programs to read: how
// far a job is, each second and at its end, and each line that is logged.
func NewJSON(w io.Writer) *View {
	return &View{screen: &screen{w: w, json: true}, delay: jsonPeriod, period: jsonPeriod}
}

// record is how far a job is. Times and rates that are not known are left out.
type record struct {
	Time    time.Time `json:"time"`
	Job     string    `json:"job"`
	Queued  int64     `json:"queued"`
	Running int64     `json:"running"`
	Done    int64     `json:"done"`
	Failed  int64     `json:"failed"`
	Retried int64     `json:"retried"`
	Resumed int64     `json:"resumed"` // among those done: an earlier run had kept their results
	Copied  int64     `json:"copied"`
	Lost    int64     `json:"workers_lost"`
	More    bool      `json:"more"`                   // inputs are still coming, so that the total is not known
	Rate    float64   `json:"rate,omitempty"`         // tasks a second, of late
	Left    float64   `json:"left_seconds,omitempty"` // at that rate
	Cost    float64   `json:"cost_usd,omitempty"`
	Elapsed float64   `json:"elapsed_seconds"`
	Ended   bool      `json:"ended"`
}

// line is one that was logged.
type line struct {
	Time  time.Time `json:"time"`
	Label string    `json:"label,omitempty"`
	Line  string    `json:"line"`
}

// json returns the line that tells of a job.
func (s status) json(now time.Time, elapsed time.Duration, ended bool) string {
	r := record{
		Time: now.UTC(), Job: s.name, Queued: s.Queued, Running: s.Running, Done: s.Done, Failed: s.Failed, Retried: s.Retried, Resumed: s.Resumed,
		Copied: s.Copied, Lost: s.Lost, More: s.More, Rate: s.rate, Cost: s.Cost, Elapsed: elapsed.Seconds(), Ended: ended,
	}
	if rest := s.total() - s.Done; s.bounded() && s.rate > 0 && !ended {
		r.Left = float64(rest) / s.rate
	}
	return encode(r)
}

// encode makes a line of JSON of what has no values that JSON knows none for.
func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil { // a rate that is no number
		data, _ = json.Marshal(map[string]string{"error": err.Error()})
	}
	return string(data) + "\n"
}

// logJSON writes a line that was logged.
func (s *screen) logJSON(now time.Time, label, text string) {
	s.writeLines(encode(line{Time: now.UTC(), Label: label, Line: strings.TrimRight(text, "\r\n")}), true)
}
