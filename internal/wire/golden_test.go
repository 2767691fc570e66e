package wire

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

// fullRequest has a value in every field that rides inline.
func fullRequest() *Request {
	return &Request{
		Job: "20260102-030405-ABCDEFGHIJ", Function: "square", Types: "func(int) int",
		Timeout: 90 * time.Second, Budget: 15 * time.Minute, Inline: 1 << 20, Room: 4 << 20, Prefix: "jobs/x",
		Shared: Shared{Hash: "00ff", Data: []byte("shared"), Key: "jobs/x/shared"},
		Tasks: []Task{
			{Index: 0, Attempt: 1, Data: []byte("a"), Size: 1},
			{Index: 300, Attempt: 2, Data: []byte{}, Size: 0},
			{Index: 1 << 40, Attempt: 1, Data: bytes.Repeat([]byte{0xff}, 200), Size: 200},
		},
	}
}

// objectRequest has its inputs in the bucket.
func objectRequest() *Request {
	return &Request{
		Job: "j", Function: "f", Types: "t", Object: "jobs/j/in/1",
		Tasks: []Task{{Index: 7, Attempt: 1, Offset: 0, Size: 1 << 33}, {Index: 8, Attempt: 3, Offset: 1 << 33, Size: 12}},
	}
}

// samples are frames of every type, by the names of their golden files.
func samples() map[string][]byte {
	return map[string][]byte{
		"request":        AppendRequest(nil, fullRequest()),
		"request_object": AppendRequest(nil, objectRequest()),
		"request_empty":  AppendRequest(nil, &Request{}),
		"cancel":         AppendFrame(nil, TypeCancel, nil),
		"result":         AppendResult(nil, 300, []byte("value")),
		"result_empty":   AppendResult(nil, 0, nil),
		"stored":         AppendStored(nil, Stored{Position: 5, Key: "jobs/x/out/5", Size: 1 << 40, Sum: 0xdeadbeef}),
		"failed":         AppendFailed(nil, Failure{Position: 2, Cause: CausePanic, Again: true, Message: "boom", Stack: "main.f()\n\tmain.go:1"}),
		"log":            AppendLog(nil, Log{Position: 3, Text: "a line"}),
		"log_worker":     AppendLog(nil, Log{Position: -1, Text: "no task's"}),
		"end":            AppendEnd(nil, TypeEnd, &End{Ran: 12, Busy: 3 * time.Second, Worker: "w", Before: 3, CPU: time.Second, Peak: 1 << 20, Slowest: []Slow{{7, time.Minute}}, Store: [8]int64{1, 2, 3, 4, 5, 6, 7, 8}}),
		"leave":          AppendEnd(nil, TypeLeave, &End{Ran: 1, Busy: time.Nanosecond}),
		"refused":        AppendRefused(nil, "no such function"),
		"beat":           AppendFrame(nil, TypeBeat, nil),
		"lost":           AppendLost(nil, Lost{Loss: LossMemory, Worker: "w-1", Message: "too much", Ran: time.Minute, Output: "last line"}),
		"parts": AppendPart(AppendPart(AppendPart(nil, Part{Data: AppendValue(AppendValue(nil, []byte("v")), nil)}),
			Part{Key: "k", Offset: 9, Size: 1 << 35}), Part{Key: "one", Size: 4, Single: true, Sum: 0xffffffff}),
	}
}

// TestGolden holds the format: drivers and workers of different builds speak it to each other. When a file changes,
// Version must change too, unless fields were added at a payload's end.
func TestGolden(t *testing.T) {
	for name, frame := range samples() {
		path := filepath.Join("testdata", name+".golden")
		got := hex.Dump(frame)
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
			t.Errorf("%s has changed:\n%s\nwant:\n%s", name, got, want)
		}
	}
}

// TestGoldenTypes keeps the numbers of types and causes, which the samples use only in part.
func TestGoldenTypes(t *testing.T) {
	types := []Type{TypeRequest, TypeCancel, TypeResult, TypeStored, TypeFailed, TypeLog, TypeEnd, TypeLeave, TypeRefused, TypeBeat, TypeLost, typeLimit}
	for i, x := range types {
		if int(x) != i+1 {
			t.Errorf("type number %d is %d", i+1, x)
		}
	}
	causes := []Cause{CauseError, CausePanic, CauseTimeout, CauseInput, CauseResult}
	for i, x := range causes {
		if int(x) != i+1 {
			t.Errorf("cause number %d is %d", i+1, x)
		}
	}
	losses := []Loss{LossWorker, LossMemory, LossTimeout, LossThrottled, LossInvalid, LossRefused, LossCanceled}
	for i, x := range losses {
		if int(x) != i+1 {
			t.Errorf("loss number %d is %d", i+1, x)
		}
	}
	if Version != 1 || headerSize != 10 || MaxFrame != 64<<20 {
		t.Error("a constant of the format has changed")
	}
}
