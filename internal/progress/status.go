package progress

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// status is what there is to show of a job at one time.
type status struct {
	Counts
	name   string
	rate   float64 // tasks a second, of late
	others int     // jobs that are not shown
}

// plain returns a line without limit of width.
func (s status) plain() string {
	parts := []string{s.doneText()}
	if s.bounded() {
		parts[0] = commas(s.Done) + " of " + plural(s.total(), "task") + " (" + s.percentText() + ")"
	}
	for _, part := range []string{
		s.queuedText(), s.runningText(), s.rateText(), s.leftText(), s.failedText(), s.retriedText(), s.copiedText(), s.lostText(), s.costText(),
	} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	line := s.name + ": " + strings.Join(parts, ", ")
	if s.others > 0 {
		line += " " + s.othersText()
	}
	return line
}

// final returns the line that remains of a job.
func final(name string, c Counts, elapsed time.Duration) string {
	line := name + ": "
	if total := c.total(); c.Done < total && !c.More {
		line += commas(c.Done) + " of " + plural(total, "task")
	} else {
		line += plural(c.Done, "task")
	}
	line += " in " + took(elapsed)
	if own := c.Done - c.Resumed; own > 0 && elapsed > 0 {
		line += " (" + perTime(float64(own)/elapsed.Seconds()) + ")"
	}
	if c.Resumed > 0 {
		line += ", " + commas(c.Resumed) + " kept by earlier runs"
	}
	s := status{Counts: c}
	for _, part := range []string{s.failedText(), s.retriedText(), s.copiedText(), s.lostText(), s.costText()} {
		if part != "" {
			line += ", " + part
		}
	}
	return line
}

// The parts of a line, each empty where it would say nothing.

func (s status) doneText() string { return commas(s.Done) + " done" }

func (s status) percentText() string { return strconv.Itoa(s.share(100)) + "%" }

// A queue tells how far the inputs are ahead; once there is a total, it tells more.
func (s status) queuedText() string { return unless(s.bounded(), s.Queued, "queued") }

func (s status) runningText() string { return unless(s.bounded(), s.Running, "running") }

func (s status) failedText() string { return unless(false, s.Failed, "failed") }

func (s status) retriedText() string { return unless(false, s.Retried, "retried") }

func (s status) copiedText() string { return unless(false, s.Copied, "copied") }

// costText is what the job has cost so far, in cents' hundredths below a dollar.
func (s status) costText() string {
	switch {
	case s.Cost <= 0 || math.IsNaN(s.Cost):
		return ""
	case s.Cost < 1:
		return fmt.Sprintf("$%.4f", s.Cost)
	}
	return fmt.Sprintf("$%.2f", s.Cost)
}

func (s status) lostText() string {
	if s.Lost == 0 {
		return ""
	}
	return plural(s.Lost, "worker") + " lost"
}

func (s status) rateText() string {
	if s.Done == 0 {
		return ""
	}
	return perTime(s.rate)
}

func (s status) leftText() string {
	rest := s.total() - s.Done
	if !s.bounded() || rest == 0 || s.rate <= 0 {
		return ""
	}
	left := timeLeft(float64(rest) / s.rate)
	if left == "" {
		return ""
	}
	return left + " left"
}

func (s status) othersText() string {
	if s.others == 0 {
		return ""
	}
	return "(+" + plural(int64(s.others), "job") + ")"
}

func unless(not bool, n int64, what string) string {
	if not || n == 0 {
		return ""
	}
	return commas(n) + " " + what
}
