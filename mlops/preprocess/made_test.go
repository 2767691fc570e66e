package preprocess

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"strconv"
	"strings"

	"github.com/gowren/gowren/storage"
)

// made is a bucket with one object, rows.csv, which is made as it is read: any number of rows of madeWidth bytes. What is stored in
// it is gone. Its URL is made://ROWS.
type made struct{ rows int64 }

func init() {
	storage.Register("made", func(_ context.Context, u *url.URL) (storage.Bucket, error) {
		rows, err := strconv.ParseInt(u.Host, 10, 64)
		return made{rows}, err
	})
}

const (
	madeKey     = "rows.csv"
	madeNumbers = 5
	madeWidth   = 2 + 9*madeNumbers + 5 + 9
)

// appendMade adds a row: a label, numbers of 6 digits behind the point, a word out of 4,096, and one that 50 rows share. Every
// seventh row's first number is missing.
func appendMade(dst []byte, row int64) []byte {
	h := mix(uint64(row))
	dst = append(dst, '0'+byte(h&1), ',')
	for i := range madeNumbers {
		if i == 0 && row%7 == 0 {
			dst = append(dst, "        ,"...)
			continue
		}
		x := mix(h+uint64(i)) % 1_000_000
		dst = append(dst, '0'+byte(i), '.', 0, 0, 0, 0, 0, 0, ',')
		for at := len(dst) - 2; x > 0 || dst[at] == 0; at-- {
			dst[at] = '0' + byte(x%10)
			x /= 10
		}
	}
	const digits = "0123456789abcdef"
	word := uint64(float64(h>>44) / (1 << 20) * float64(h>>24&0xfffff) / (1 << 20) * 4096)
	for shift := 8; shift >= 0; shift -= 4 {
		dst = append(dst, digits[word>>shift&15])
	}
	dst = append(dst, 'w', ',')
	for shift := 28; shift >= 0; shift -= 4 {
		dst = append(dst, digits[row/50>>shift&15])
	}
	return append(dst, '\n')
}

type madeReader struct {
	at, end int64
	text    []byte
	begin   int64 // of text
}

func (r *madeReader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if r.at >= r.end {
			if n == 0 {
				return 0, io.EOF
			}
			return n, nil
		}
		if r.text == nil || r.at >= r.begin+int64(len(r.text)) {
			row := r.at / madeWidth
			r.text, r.begin = r.text[:0], row*madeWidth
			for range 256 {
				r.text = appendMade(r.text, row)
				row++
			}
		}
		k := copy(p[n:], r.text[r.at-r.begin:])
		k = int(min(int64(k), r.end-r.at))
		n, r.at = n+k, r.at+int64(k)
	}
	return n, nil
}

func (*madeReader) Close() error { return nil }

func (b made) object() storage.Object {
	return storage.Object{Key: madeKey, Size: b.rows * madeWidth, ETag: "made"}
}

func (b made) Get(_ context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if key != madeKey {
		return nil, fmt.Errorf("%q: %w", key, fs.ErrNotExist)
	}
	end := b.object().Size
	if n >= 0 {
		end = min(end, off+n)
	}
	return &madeReader{at: off, end: end}, nil
}

func (made) Put(_ context.Context, _ string, data io.Reader) error {
	_, err := io.Copy(io.Discard, data)
	return err
}

func (b made) PutNew(ctx context.Context, key string, data io.Reader) error {
	return b.Put(ctx, key, data)
}

func (b made) Stat(_ context.Context, key string) (storage.Object, error) {
	if key != madeKey {
		return storage.Object{}, fmt.Errorf("%q: %w", key, fs.ErrNotExist)
	}
	return b.object(), nil
}

func (b made) List(_ context.Context, prefix string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		if strings.HasPrefix(madeKey, prefix) && b.rows > 0 {
			yield(b.object(), nil)
		}
	}
}

func (made) Delete(context.Context, ...string) error { return nil }
func (b made) URL() string                           { return fmt.Sprintf("made://%d", b.rows) }
func (made) Close() error                            { return nil }
