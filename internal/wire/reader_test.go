package wire

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/iotest"
)

// chopped returns odd amounts, nothing now and then, and sometimes the last bytes together with io.EOF.
type chopped struct {
	data []byte
	g    gen
}

func (c *chopped) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.data[:min(len(c.data), c.g.IntN(40))])
	c.data = c.data[n:]
	if len(c.data) == 0 && c.g.IntN(2) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// stream has frames of sizes around those of the buffer, and an end.
func stream() (all []byte, values [][]byte) {
	for i, n := range []int{0, 1, 100, 64<<10 - 11, 64<<10 - 10, 64 << 10, 3, 200 << 10, 5} {
		v := bytes.Repeat([]byte{byte(i + 1)}, n)
		values = append(values, v)
		all = AppendResult(all, i, v)
	}
	return AppendEnd(all, TypeEnd, &End{Ran: len(values)}), values
}

func TestReaderSources(t *testing.T) {
	t.Parallel()
	all, values := stream()
	for name, src := range map[string]io.Reader{
		"whole":         bytes.NewReader(all),
		"byte by byte":  iotest.OneByteReader(bytes.NewReader(all)),
		"halves":        iotest.HalfReader(bytes.NewReader(all)),
		"data with EOF": iotest.DataErrReader(bytes.NewReader(all)),
		"odd":           &chopped{data: all, g: newGen(1)},
	} {
		var r Reader
		r.Reset(src)
		for i, want := range values {
			typ, payload, err := r.Next()
			if err != nil || typ != TypeResult {
				t.Fatalf("%s: frame %d: type %d, %v", name, i, typ, err)
			}
			if p, v, err := DecodeResult(payload); err != nil || p != i || !bytes.Equal(v, want) {
				t.Fatalf("%s: frame %d is another", name, i)
			}
		}
		if typ, _, err := r.Next(); err != nil || typ != TypeEnd {
			t.Fatalf("%s: type %d, %v", name, typ, err)
		}
		for range 2 {
			if _, _, err := r.Next(); err != io.EOF {
				t.Fatalf("%s: %v at the end", name, err)
			}
		}
	}
}

// TestReaderReset: after a large frame the buffer is let go, and nothing of the old stream is left.
func TestReaderReset(t *testing.T) {
	var r Reader
	r.Reset(bytes.NewReader(AppendResult(AppendResult(nil, 0, make([]byte, 8<<20)), 1, []byte("rest"))))
	if _, payload, err := r.Next(); err != nil || len(payload) != 8<<20+1 {
		t.Fatal(len(payload), err)
	}
	r.Reset(bytes.NewReader(AppendResult(nil, 2, []byte("new"))))
	if len(r.buf) > 1<<20 || r.Frame() != nil {
		t.Errorf("a buffer of %d bytes and a frame of %d are kept", len(r.buf), len(r.Frame()))
	}
	if _, payload, err := r.Next(); err != nil || string(payload) != "\x02new" {
		t.Fatalf("%q, %v", payload, err)
	}
	if _, _, err := r.Next(); err != io.EOF {
		t.Fatal(err)
	}
	r.Reset(nil)
	if r.src != nil {
		t.Error("the stream is kept")
	}
}

// TestReaderStuck: a source that brings nothing for ever must not keep a processor busy.
func TestReaderStuck(t *testing.T) {
	var r Reader
	r.Reset(readerFunc(func([]byte) (int, error) { return 0, nil }))
	if _, _, err := r.Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Fatal(err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestReaderCut cuts a frame at every byte.
func TestReaderCut(t *testing.T) {
	t.Parallel()
	var r Reader
	for name, frame := range frames() {
		for n := range frame {
			for _, src := range []io.Reader{bytes.NewReader(frame[:n]), iotest.DataErrReader(bytes.NewReader(frame[:n]))} {
				r.Reset(src)
				_, _, err := r.Next()
				if n == 0 && err != io.EOF || n > 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%s cut at %d: %v", name, n, err)
				}
			}
			if _, err := OpenRequest(frame[:n]); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%s cut at %d: a request: %v", name, n, err)
			}
		}
	}
}

// frames are the samples that are frames.
func frames() map[string][]byte {
	f := samples()
	delete(f, "parts")
	return f
}

// TestReaderFlips flips every bit of a frame, alone and with another after it.
func TestReaderFlips(t *testing.T) {
	t.Parallel()
	var r Reader
	after := AppendResult(nil, 1, bytes.Repeat([]byte("after"), 100))
	for name, frame := range frames() {
		for bit := range len(frame) * 8 {
			bad := bytes.Clone(frame)
			bad[bit/8] ^= 1 << (bit % 8)
			for _, data := range [][]byte{bad, append(bad[:len(bad):len(bad)], after...)} {
				r.Reset(bytes.NewReader(data))
				_, _, err := r.Next()
				ok := errors.Is(err, ErrCorrupt) || errors.Is(err, io.ErrUnexpectedEOF)
				if bit/8 == 4 {
					ok = ok || errors.Is(err, ErrVersion)
				}
				if !ok {
					t.Fatalf("%s with bit %d of byte %d flipped: %v", name, bit%8, bit/8, err)
				}
			}
			if _, err := OpenRequest(bad); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) {
				t.Fatalf("%s with bit %d flipped: a request: %v", name, bit, err)
			}
		}
	}
}

func TestReaderHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		head string
		want error
	}{
		"another version":                 {"\x00\x00\x00\x00\x02\x03\x00\x00\x00\x00", ErrVersion},
		"unknown type":                    {"\x00\x00\x00\x00\x01\x0a\x00\x00\x00\x00", ErrCorrupt},
		"type 0":                          {"\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00", ErrCorrupt},
		"longer than MaxFrame":            {"\x01\x00\x00\x04\x01\x03\x00\x00\x00\x00", ErrCorrupt},
		"4 GB":                            {"\xff\xff\xff\xff\x01\x03\x00\x00\x00\x00", ErrCorrupt},
		"no frame: a page of a web proxy": {"HTTP/1.1 502 Bad Gateway", ErrCorrupt},
		"checksum":                        {"\x00\x00\x00\x00\x01\x03\x00\x00\x00\x00", ErrCorrupt},
	} {
		var r Reader
		r.Reset(bytes.NewReader([]byte(c.head)))
		if _, _, err := r.Next(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReaderLies: a length that is only claimed costs no memory.
func TestReaderLies(t *testing.T) {
	lie := AppendResult(nil, 0, make([]byte, 10))
	lie[3] = 60 << 20 >> 24 // about 50 MB
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var r Reader
	r.Reset(bytes.NewReader(lie))
	_, _, err := r.Next()
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes were allocated for 21 that came", got)
	}
	// The same within payloads: lengths and counts.
	huge := []byte("\xff\xff\xff\xff\xff\xff\xff\x3f")
	runtime.ReadMemStats(&before)
	for range 10 {
		_ = DecodeRequest(append([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, huge...), new(Request))
		_ = DecodeRequest(huge, new(Request))
		_, _ = DecodeStored(append([]byte{0}, huge...))
		_, _, _ = NextPart(append([]byte{0}, huge...))
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes were allocated for lengths that were claimed", got)
	}
	if err := DecodeRequest([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 1}, new(Request)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("more tasks than bytes: %v", err)
	}
}
