package wire

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// gen draws values that lie at the edges as often as between them.
type gen struct{ *rand.Rand }

func newGen(seed uint64) gen { return gen{rand.New(rand.NewPCG(seed, 0))} }

func (g gen) int64() int64 {
	switch g.IntN(4) {
	case 0:
		return g.Int64N(2)
	case 1:
		return int64(1)<<g.IntN(62) - 1
	case 2:
		return 1<<62 - 1
	}
	return g.Int64N(1 << 62)
}

func (g gen) bytes() []byte {
	b := make([]byte, []int{0, 1, 127, 128, 300}[g.IntN(5)])
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func (g gen) string() string { return string(g.bytes()) }

func (g gen) request() *Request {
	r := &Request{
		Job: g.string(), Function: g.string(), Types: g.string(), Timeout: time.Duration(g.int64()), Budget: time.Duration(g.int64()),
		Inline: int(g.int64()), Room: int(g.int64()), Prefix: g.string(), Shared: Shared{Hash: g.string(), Data: g.bytes(), Key: g.string()},
	}
	if g.IntN(2) == 0 {
		r.Object = "o" + g.string()
	}
	for range g.IntN(20) {
		t := Task{Index: g.int64(), Attempt: int(g.int64())}
		if r.Object != "" {
			t.Offset, t.Size = g.int64(), g.int64()
		} else {
			t.Data = g.bytes()
			t.Size = int64(len(t.Data))
		}
		r.Tasks = append(r.Tasks, t)
	}
	return r
}

// frame appends a random frame of a reply, and says what decoding it must give.
func (g gen) frame(dst []byte) ([]byte, any) {
	position := int(g.int64())
	switch g.IntN(5) {
	case 0:
		v := g.bytes()
		return AppendResult(dst, position, v), v
	case 1:
		s := Stored{Position: position, Key: g.string(), Size: g.int64(), Sum: g.Uint32()}
		return AppendStored(dst, s), s
	case 2:
		f := Failure{Position: position, Cause: Cause(g.Uint32()), Again: g.IntN(2) == 0, Message: g.string(), Stack: g.string()}
		return AppendFailed(dst, f), f
	case 3:
		l := Log{Position: g.IntN(3) - 1, Text: g.string()}
		return AppendLog(dst, l), l
	}
	v := g.bytes() // the way of a worker, which encodes straight into the frame
	start := len(dst)
	dst = append(dst, BeginResult(nil, position)...)
	return Finish(append(dst, v...), start, TypeResult), v
}

// end appends a random last frame.
func (g gen) end(dst []byte) ([]byte, any) {
	if g.IntN(3) == 0 {
		s := g.string()
		return AppendRefused(dst, s), s
	}
	if g.IntN(3) == 0 {
		l := Lost{Loss: Loss(g.IntN(256)), Worker: g.string(), Message: g.string(), Output: g.string(), Ran: time.Duration(g.int64())}
		return AppendLost(dst, l), l
	}
	e := End{
		Ran: int(g.int64()), Busy: time.Duration(g.int64()), Worker: g.string(), Before: int(g.int64()), CPU: time.Duration(g.int64()),
		Peak: g.int64(), Slowest: []Slow{},
	}
	for range g.IntN(4) {
		e.Times.Add(time.Duration(g.int64()))
		e.Slowest = append(e.Slowest, Slow{int(g.int64()), time.Duration(g.int64())})
	}
	for i := range e.Store {
		e.Store[i] = g.int64()
	}
	return AppendEnd(dst, TypeEnd+Type(g.IntN(2)), &e), e
}

func decode(t Type, payload []byte) (any, error) {
	switch t {
	case TypeResult:
		_, v, err := DecodeResult(payload)
		return v, err
	case TypeStored:
		return DecodeStored(payload)
	case TypeFailed:
		return DecodeFailed(payload)
	case TypeLog:
		return DecodeLog(payload)
	case TypeRefused:
		return DecodeRefused(payload)
	case TypeLost:
		return DecodeLost(payload)
	}
	return decodeEnd(payload)
}

func decodeEnd(payload []byte) (End, error) {
	e := End{Slowest: []Slow{}}
	err := DecodeEnd(payload, &e)
	return e, err
}

// diff asks cmp, which is slow, only where it has something to tell.
func diff(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got, cmpopts.EquateEmpty())
}

func TestRepliesRoundTrip(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		g := newGen(seed)
		var stream []byte
		var want []any
		for range g.IntN(30) {
			var v any
			stream, v = g.frame(stream)
			want = append(want, v)
		}
		stream, v := g.end(stream)
		want = append(want, v)

		var r Reader
		r.Reset(&chopped{data: stream, g: g})
		var again []byte
		for i := 0; ; i++ {
			typ, payload, err := r.Next()
			if err == io.EOF && i == len(want) {
				break
			}
			if err != nil {
				t.Fatalf("seed %d: frame %d: %v", seed, i, err)
			}
			got, err := decode(typ, payload)
			if err != nil {
				t.Fatalf("seed %d: frame %d: %v", seed, i, err)
			}
			if d := diff(want[i], got); d != "" {
				t.Fatalf("seed %d: frame %d: %s", seed, i, d)
			}
			again = append(again, r.Frame()...)
		}
		if string(again) != string(stream) {
			t.Fatalf("seed %d: the frames are not the stream", seed)
		}
	}
}

func TestRequestRoundTrip(t *testing.T) {
	t.Parallel()
	var got Request // used again, as a worker does: nothing of one request may be left in the next
	for seed := range uint64(500) {
		want := newGen(seed).request()
		payload, err := OpenRequest(AppendRequest(nil, want))
		if err != nil {
			t.Fatal(err)
		}
		if err := DecodeRequest(payload, &got); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if d := diff(want, &got); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
	}
}

// TestLaterFields: a later version may add fields at a payload's end.
func TestLaterFields(t *testing.T) {
	for name, frame := range samples() {
		if name == "parts" || strings.HasPrefix(name, "result") { // a value takes all the rest
			continue
		}
		payload := append(frame[headerSize:len(frame):len(frame)], 1, 2, 3)
		var err error
		if strings.HasPrefix(name, "request") {
			err = DecodeRequest(payload, new(Request))
		} else if name != "cancel" && name != "beat" { // these have no payload
			_, err = decode(Type(frame[5]), payload)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOutOfRange: a number that does not fit its field is an error, never another number. Negative ones are sent as
// huge ones.
func TestOutOfRange(t *testing.T) {
	end := func(ran, busy uint64) []byte {
		return binary.AppendUvarint(binary.AppendUvarint(nil, ran), busy)
	}
	request := func(r Request) []byte { return AppendRequest(nil, &r)[headerSize:] }
	stored := AppendStored(nil, Stored{Key: "k"})[headerSize:]
	for name, err := range map[string]error{
		"negative position": second(DecodeStored(AppendStored(nil, Stored{Position: -1})[headerSize:])),
		"negative size":     second(DecodeStored(AppendStored(nil, Stored{Size: -1})[headerSize:])),
		"wide checksum":     second(DecodeStored(binary.AppendUvarint(stored[:len(stored)-1:len(stored)-1], 1<<32))),
		"result position": func() error {
			_, _, err := DecodeResult(binary.AppendUvarint(nil, math.MaxUint64))
			return err
		}(),
		"failure position":  second(DecodeFailed(AppendFailed(nil, Failure{Position: math.MinInt})[headerSize:])),
		"log position":      second(DecodeLog(AppendLog(nil, Log{Position: -2})[headerSize:])),
		"negative count":    second(decodeEnd(end(math.MaxUint64, 0))),
		"negative time":     second(decodeEnd(AppendEnd(nil, TypeEnd, &End{Busy: -1})[headerSize:])),
		"time of 2^62":      second(decodeEnd(end(0, 1<<62))),
		"11-byte number":    second(decodeEnd([]byte(strings.Repeat("\xff", 11)))),
		"negative time-out": DecodeRequest(request(Request{Timeout: -1}), new(Request)),
		"negative budget":   DecodeRequest(request(Request{Budget: -time.Second}), new(Request)),
		"negative index":    DecodeRequest(request(Request{Tasks: []Task{{Index: -1}}}), new(Request)),
		"negative attempt":  DecodeRequest(request(Request{Tasks: []Task{{Attempt: -1}}}), new(Request)),
		"negative offset":   DecodeRequest(request(Request{Object: "o", Tasks: []Task{{Offset: -1}}}), new(Request)),
	} {
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestLongTexts: what is told of a failure is cut, so that a function that returns its input in an error does no harm.
func TestLongTexts(t *testing.T) {
	long := strings.Repeat("x", maxText+1)
	f, err := DecodeFailed(AppendFailed(nil, Failure{Message: long, Stack: long})[headerSize:])
	if err != nil || len(f.Message) != maxText || len(f.Stack) != maxText {
		t.Errorf("failure: %v, %d, %d", err, len(f.Message), len(f.Stack))
	}
	if l, err := DecodeLog(AppendLog(nil, Log{Text: long})[headerSize:]); err != nil || len(l.Text) != maxText {
		t.Errorf("log: %v, %d", err, len(l.Text))
	}
	if s, err := DecodeRefused(AppendRefused(nil, long)[headerSize:]); err != nil || len(s) != maxText {
		t.Errorf("refused: %v, %d", err, len(s))
	}
}
