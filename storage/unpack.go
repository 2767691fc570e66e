package storage

import (
	"bufio"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// largestWindow is what a zstd stream may ask for to be unpacked: the zstd program's own limit.
const largestWindow = 128 << 20

// unpackers open the compressed formats. Several streams in a row are read as one.
var unpackers = map[string]func(io.Reader) (io.ReadCloser, error){
	"gzip": func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) },
	"zstd": func(r io.Reader) (io.ReadCloser, error) {
		// One at a time: no goroutines of its own.
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(largestWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	},
}

// unpack opens what the object holds. Its errors name the object.
func (in *input) unpack(a *ranges) (io.ReadCloser, error) {
	open := unpackers[in.s.Compression]
	if open == nil {
		return io.NopCloser(a), nil
	}
	r, err := open(bufio.NewReaderSize(a, 64<<10))
	if err == io.EOF { // not even a header
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, in.packed(err)
	}
	return &unpacked{r, in}, nil
}

// packed names the object of which the packed form is wrong.
func (in *input) packed(err error) error {
	if _, named := err.(*Error); !named { //nolint:errorlint // as in wrap
		err = fmt.Errorf("as unpacked from %s: %w", in.s.Compression, err)
	}
	return wrap("read", in.s.URL, in.s.Key, err)
}

type unpacked struct {
	io.ReadCloser
	in *input
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err != nil && err != io.EOF { // a wrapped io.EOF is a lost connection
		err = u.in.packed(err)
	}
	return n, err
}
