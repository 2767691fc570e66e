package mapper_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/mapper"
)

// TestCollected: what workers tell of themselves adds up, over all steps of a job, and is told when it ends.
func TestCollected(t *testing.T) {
	t.Parallel()
	var got []mapper.Stats
	ex := open(t, "local://?workers=2").With(mapper.Options{BatchSize: 3, Speculation: -1, Stats: func(s mapper.Stats) { got = append(got, s) }})
	if _, err := mapper.MapReduce(t.Context(), ex, resumeWork, resumeSum, resumeInputs("collected", 40)); err != nil {
		t.Fatal(err)
	}
	if _, err := mapper.Map(t.Context(), ex, resumeWork, nil); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Job == got[1].Job {
		t.Fatalf("%d jobs have told", len(got))
	}
	s := got[0]
	if s.Done != 40+3+1 || s.Tasks.N != s.Done || s.Workers != 2 || s.ColdStarts != 2 || s.Invocations != 14+1+1 && s.Invocations < 16 {
		t.Errorf("%d done, %d timed, %d workers, %d cold, %d invocations", s.Done, s.Tasks.N, s.Workers, s.ColdStarts, s.Invocations)
	}
	if s.CPU <= 0 || s.PeakMemory < 1<<20 || s.Busy <= 0 || s.Tasks.P50 <= 0 || s.Tasks.Max < s.Tasks.P99 || s.Sent == 0 || s.Received == 0 || len(s.Slowest) == 0 {
		t.Errorf("%+v", s)
	}
	if len(s.Spans) != int(s.Invocations) || s.Ended.Before(s.Started) || s.Cost.Total != 0 {
		t.Errorf("%d spans, from %v to %v, $%v", len(s.Spans), s.Started, s.Ended, s.Cost.Total)
	}
	if len(s.Steps) != 2 || s.Steps[1] != "resume-sum" {
		t.Errorf("steps %q", s.Steps)
	}
	for _, x := range s.Spans {
		if x.Step > 1 || x.Start < x.Begun || x.Ended < x.Start || x.Kind != mapper.SpanDone || x.Tasks < 1 || x.Worker > 1 {
			t.Errorf("%+v", x)
		}
	}
	var text bytes.Buffer
	if err := s.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var again mapper.Stats
	if err := json.Unmarshal(text.Bytes(), &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, again, cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Error(diff)
	}
}

// TestTimeline: it is well-formed, has what was told, and does not grow for ever.
func TestTimeline(t *testing.T) {
	t.Parallel()
	s := mapper.Stats{Function: `a<b>"c"`, Done: 7, Workers: 3, Steps: []string{"first", "second"}}
	for i, k := range []mapper.SpanKind{mapper.SpanFailed, mapper.SpanCopy, mapper.SpanUnused, mapper.SpanLost, mapper.SpanThrottled} {
		begun := time.Duration(i) * time.Second
		s.Spans = append(s.Spans, mapper.Span{Worker: i % 3, Step: i % 3, Kind: k, Begun: begun, Start: begun + time.Second/4, Ended: begun + time.Second, Tasks: i + 1, First: 10})
	}
	elements, text := drawn(t, s)
	for _, want := range []string{"a<b>\"c\": 7 tasks", "by 3 workers", "second, 2 tasks from 10 on: copy", "second, 5 tasks from 10 on: throttled, 750ms, after 250ms", "2s"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q: %s", want, text)
		}
	}
	if elements["g"] != 5 || elements["title"] != 5 {
		t.Errorf("%v", elements)
	}
	for i := range 5000 {
		s.Spans = append(s.Spans, mapper.Span{Worker: i, Kind: mapper.SpanDone, Ended: time.Hour, Tasks: 1})
	}
	if elements, text = drawn(t, s); elements["g"] != 1005 || !strings.Contains(text, "4000 more workers") {
		t.Errorf("%v", elements)
	}
	if elements, _ = drawn(t, mapper.Stats{}); elements["svg"] != 1 {
		t.Errorf("of nothing: %v", elements)
	}
	if err := s.WriteTimeline(full{}); !errors.Is(err, errFull) {
		t.Error(err)
	}
	if err := s.WriteJSON(full{}); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

var errFull = errors.New("the disk is full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// drawn returns how many elements of a name a timeline has, and its text.
func drawn(t *testing.T, s mapper.Stats) (map[string]int, string) {
	t.Helper()
	var b bytes.Buffer
	if err := s.WriteTimeline(&b); err != nil {
		t.Fatal(err)
	}
	elements := map[string]int{}
	var text strings.Builder
	for d := xml.NewDecoder(&b); ; {
		token, err := d.Token()
		if err == io.EOF {
			return elements, text.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			elements[x.Name.Local]++
		case xml.CharData:
			text.Write(x)
		}
	}
}
