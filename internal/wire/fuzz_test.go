package wire

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func seedFrames(f *testing.F, cut int) {
	for _, frame := range frames() {
		f.Add(frame[cut:])
	}
	f.Add([]byte{})
	all, _ := newGen(1).frame(AppendResult(nil, 3, []byte("x")))
	all, _ = newGen(2).end(all)
	f.Add(all[cut:])
}

// FuzzReader: no panic, errors of the known kinds, and the same frames whatever the pieces.
func FuzzReader(f *testing.F) {
	seedFrames(f, 0)
	f.Fuzz(func(t *testing.T, data []byte) {
		var a, b Reader
		a.Reset(bytes.NewReader(data))
		b.Reset(iotest.OneByteReader(bytes.NewReader(data)))
		read := 0
		for {
			typ, payload, err := a.Next()
			typ2, payload2, err2 := b.Next()
			if typ != typ2 || !bytes.Equal(payload, payload2) || (err == nil) != (err2 == nil) {
				t.Fatalf("type %d, %v; byte by byte type %d, %v", typ, err, typ2, err2)
			}
			if err != nil {
				if err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) {
					t.Fatal(err)
				}
				if (err == io.EOF) != (read == len(data)) {
					t.Fatalf("%v after %d of %d bytes", err, read, len(data))
				}
				return
			}
			if again := AppendFrame(nil, typ, payload); !bytes.Equal(again, a.Frame()) || !bytes.Equal(again, data[read:read+len(again)]) {
				t.Fatal("a frame is not what was read")
			}
			read += len(a.Frame())
		}
	})
}

// FuzzDecodeRequest: what decodes, encodes to what decodes to the same.
func FuzzDecodeRequest(f *testing.F) {
	seedFrames(f, headerSize)
	f.Fuzz(func(t *testing.T, data []byte) {
		var r, again Request
		if err := DecodeRequest(data, &r); err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		frame := AppendRequest(nil, &r)
		payload, err := OpenRequest(frame)
		if err != nil {
			t.Fatal(err)
		}
		if err := DecodeRequest(payload, &again); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(AppendRequest(nil, &again), frame) {
			t.Fatal("another request")
		}
		_, _ = OpenRequest(data)
	})
}

// FuzzReplyPayloads gives the same bytes to all decoders of replies.
func FuzzReplyPayloads(f *testing.F) {
	seedFrames(f, headerSize)
	f.Fuzz(func(t *testing.T, data []byte) {
		for typ := TypeResult; typ < typeLimit; typ++ {
			v, err := decode(typ, data)
			if err != nil {
				if !errors.Is(err, ErrCorrupt) {
					t.Fatal(err)
				}
				continue
			}
			negative := false
			switch v := v.(type) {
			case Stored:
				negative = v.Position < 0 || v.Size < 0
			case Failure:
				negative = v.Position < 0
			case Log:
				negative = v.Position < -1
			case End:
				negative = v.Ran < 0 || v.Busy < 0
			case Lost:
				negative = v.Ran < 0
			}
			if p, _, err := DecodeResult(data); negative || err == nil && p < 0 {
				t.Fatalf("a number is negative: %+v", v)
			}
		}
	})
}

func FuzzNextPart(f *testing.F) {
	f.Add(samples()["parts"])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		for {
			p, rest, err := NextPart(data)
			if err != nil {
				if (err == io.EOF) != (len(data) == 0) || err != io.EOF && !errors.Is(err, ErrCorrupt) {
					t.Fatal(err)
				}
				return
			}
			if len(rest) >= len(data) || p.Offset < 0 || p.Size < 0 || p.Offset+p.Size < 0 {
				t.Fatalf("%+v, with %d of %d bytes left", p, len(rest), len(data))
			}
			again, _, err := NextPart(AppendPart(nil, p))
			if err != nil || again.Key != p.Key || !bytes.Equal(again.Data, p.Data) || again.Size != p.Size || again.Sum != p.Sum {
				t.Fatalf("%+v, %v", again, err)
			}
			data = rest
		}
	})
}

// FuzzTracker holds the tracker, fed in pieces, to where a Reader finds the reply's end. It sees less: it checks no sums.
func FuzzTracker(f *testing.F) {
	for _, frame := range frames() {
		f.Add(frame, uint8(3))
	}
	all, _ := newGen(1).frame(nil)
	all, _ = newGen(2).end(all)
	f.Add(append(all, "tail"...), uint8(13))
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		var tr Tracker
		var failed error
		passed := 0
		for rest := data; len(rest) > 0 && failed == nil && !tr.Done(); {
			p := rest[:min(int(step)+1, len(rest))]
			rest = rest[len(p):]
			n, err := tr.Advance(p)
			failed = err
			passed += n
		}
		var r Reader
		r.Reset(bytes.NewReader(data))
		for read := 0; ; {
			typ, _, err := r.Next()
			switch {
			case err == io.EOF:
				if tr.Done() || failed != nil {
					t.Fatalf("done %v, error %v, but the reader found neither", tr.Done(), failed)
				}
				return
			case err != nil:
				return // what the tracker makes of it, who decodes will refuse
			case typ == TypeRequest || typ == TypeCancel:
				if failed == nil {
					t.Fatalf("a frame of type %d passed in a reply", typ)
				}
				return
			}
			read += len(r.Frame())
			if typ.Ends() {
				if failed != nil || !tr.Done() || passed != read || tr.Leaves() != (typ == TypeLeave) {
					t.Fatalf("the end is at %d; the tracker is at %d, done %v, error %v", read, passed, tr.Done(), failed)
				}
				return
			}
		}
	})
}
