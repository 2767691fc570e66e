package program

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/storage"
)

// key is where a bucket has the program of that hash, as a zstd stream.
func key(hash string) string { return "programs/" + hash + ".zst" }

// MaxSize bounds a program, in bytes: what a worker writes to its disk for a hash that it was sent.
const MaxSize = 1 << 30

// ErrTooLarge marks a program that has more bytes than there may be.
var ErrTooLarge = errors.New("the program is too large")

// renewal is the age at which a program is uploaded anew, so that its age tells since when nobody wants it.
const renewal = 24 * time.Hour

// Upload puts the program into the bucket, unless it is there and was put there not long ago.
func (e *Executable) Upload(ctx context.Context, b storage.Bucket) error {
	b = storage.Retry(b, storage.RetryPolicy{})
	if e.Size > MaxSize {
		return fmt.Errorf("program: %s has %d MB; the limit is %d MB: %w", e.Path, e.Size>>20, MaxSize>>20, backends.ErrInvalid)
	}
	o, err := b.Stat(ctx, key(e.Hash))
	if err == nil && time.Since(o.Modified) < renewal {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("program: look for the program in %s: %w", b.URL(), err)
	}
	packed, err := e.pack()
	if err != nil {
		return fmt.Errorf("program: compress %s: %w", e.Path, err)
	}
	err = b.Put(ctx, key(e.Hash), packed)
	if err = errors.Join(err, packed.Close(), os.Remove(packed.Name())); err != nil {
		return fmt.Errorf("program: upload %s to %s: %w", e.Path, b.URL(), err)
	}
	return nil
}

// pack compresses the program into a temporary file. A file can be read again by a second attempt.
func (e *Executable) pack() (*os.File, error) {
	in, err := os.Open(e.Path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, err := os.CreateTemp("", "gowren-program-")
	if err != nil {
		return nil, err
	}
	z, err := zstd.NewWriter(out)
	if err == nil {
		_, err = io.Copy(z, in)
		err = errors.Join(err, z.Close())
	}
	if err == nil {
		_, err = out.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, out.Close(), os.Remove(out.Name()))
	}
	return out, nil
}

// ValidHash reports whether hash is one: it becomes part of a file's name.
func ValidHash(hash string) bool {
	raw, err := hex.DecodeString(hash)
	return err == nil && len(raw) == sha256.Size && hash == hex.EncodeToString(raw)
}

// Fetch writes the program of that hash from the bucket to an executable file. What has another hash, or more than most
// bytes ([ErrTooLarge]), is an error, and leaves no file.
func Fetch(ctx context.Context, b storage.Bucket, hash, path string, most int64) error {
	if !ValidHash(hash) {
		return fmt.Errorf("program: %.80q is no SHA-256: %w", hash, backends.ErrInvalid)
	}
	r, err := b.Get(ctx, key(hash), 0, -1)
	if err == nil {
		err = save(path, hash, r, most)
		err = errors.Join(err, r.Close())
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("program: %s has no program %s: the driver uploads it there when it opens: %w: %w", b.URL(), hash, backends.ErrInvalid, err)
	case errors.Is(err, storage.ErrThrottled):
		err = fmt.Errorf("%w: %w", backends.ErrThrottled, err)
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w: let the workers read programs/ in the bucket: %w", backends.ErrRefused, err)
	case errors.Is(err, syscall.ENOSPC):
		err = fmt.Errorf("%w: the disk of the worker is full: %w", backends.ErrInvalid, err)
	}
	return fmt.Errorf("program: fetch %s from %s: %w", hash, b.URL(), err)
}

// save unpacks r into an executable file, which appears when it is whole.
func save(path, hash string, r io.Reader, most int64) error {
	out, err := os.CreateTemp(filepath.Dir(path), ".fetch-")
	if err != nil {
		return err
	}
	sum, err := unpack(out, r, most)
	err = errors.Join(err, out.Chmod(0o700), out.Close())
	// A process that was forked while the file was open for writing has it open until it executes its own program, and
	// nobody can execute the file until then. Forks hold this lock for as long.
	syscall.ForkLock.Lock()
	syscall.ForkLock.Unlock() //nolint:staticcheck // it waits
	switch {
	case err == nil && sum != hash:
		err = fmt.Errorf("it is another program, of hash %s: delete it there, and run again: %w", sum, backends.ErrInvalid)
	case err == nil:
		err = os.Rename(out.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	return nil
}

// unpack decompresses a program of at most so many bytes into w and returns its hash.
func unpack(w io.Writer, r io.Reader, most int64) (string, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return "", err
	}
	defer z.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, h), io.LimitReader(z, most+1))
	if err == nil && n > most {
		err = fmt.Errorf("%w: it has more than %d bytes: %w", ErrTooLarge, max(most, 0), backends.ErrInvalid)
	}
	return hex.EncodeToString(h.Sum(nil)), err
}
