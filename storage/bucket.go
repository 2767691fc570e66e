package storage

import (
	"context"
	"io"
	"iter"
	"time"
)

// Bucket holds objects named by slash-separated keys: an object store, or a prefix in one.
//
// Implementations are safe for concurrent use and honour ctx. They are read-after-write consistent, List included.
// Errors satisfy errors.Is with [io/fs.ErrNotExist], [io/fs.ErrExist], [io/fs.ErrPermission], [io/fs.ErrInvalid] (a key
// that the store cannot hold, refused before it is sent) or [ErrThrottled], where one of them fits, and are an [*Error]
// that names the operation, the bucket and the key.
type Bucket interface {
	// Get returns n bytes of the object from offset off on, or all to its end where n is negative. A range that ends
	// past the object's end is cut there; one that begins at or past it, and n of zero, read as empty. A missing object
	// is fs.ErrNotExist, from Get or from the first Read; one that is replaced meanwhile may be [ErrChanged]. The caller
	// closes the reader.
	Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error)
	// Put stores all of data, or nothing: no reader ever sees a part of it. It replaces an object that is there. An
	// error from data's Read fails the Put with that error. Memory is one part a connection, whatever the size.
	Put(ctx context.Context, key string, data io.Reader) error
	// PutNew is Put, but where the key is taken it changes nothing and returns fs.ErrExist. Of several concurrent
	// calls exactly one succeeds. This is how anything is committed.
	PutNew(ctx context.Context, key string, data io.Reader) error
	// Stat describes the object.
	Stat(ctx context.Context, key string) (Object, error)
	// List yields the objects whose keys begin with prefix (any string, not only a folder) in byte order of the keys. It
	// yields those too that others have stored under keys that this interface refuses, such as a//b or the marker of a
	// folder, a/: the other methods say so.
	// After an error it yields nothing more.
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]
	// Delete removes objects. A missing key is no error.
	Delete(ctx context.Context, keys ...string) error
	// URL opens the same bucket when given to [Open], in this process or, unless the store lives in memory, in a
	// worker. It holds no credentials.
	URL() string
	// Close releases what the bucket holds open. Objects stay.
	Close() error
}

// Object describes a stored object.
type Object struct {
	Key      string
	Size     int64 // in bytes
	Modified time.Time
	ETag     string // changes when the content does; opaque
}
