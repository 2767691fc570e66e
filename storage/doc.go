// Package storage reads and writes objects: files in a folder, or objects of S3, Google Cloud Storage, Azure Blob or
// Redis, all through one interface of eight methods, the [Bucket].
//
//	import (
//		"github.com/gowren/gowren/storage"
//		_ "github.com/gowren/gowren/storage/filestore"
//	)
//
//	b, err := storage.Open(ctx, "file:///tmp/demo")
//	...
//	defer b.Close()
//	err = b.Put(ctx, "greetings/en", strings.NewReader("hello"))
//	r, err := b.Get(ctx, "greetings/en", 1, 3) // reads "ell"
//
// # Words
//
// A key names an object: "jobs/7/out". It is UTF-8 text in segments parted by slashes; [CheckKey] has the rules. A
// prefix is any beginning of keys: "jobs/", and "jo" as well. A bucket is an object store, or the keys of one that lie
// under a prefix ([Prefix] makes such a bucket of another). Its URL opens it again, elsewhere.
//
// # Rules
//
// An object is written whole or not at all, and is never changed in place: a reader sees the old bytes or the new ones.
// What was written is read, and listed, by whoever asks next. [Bucket.PutNew] lets exactly one of several writers win,
// and is the only means of agreement: there are no locks and no append.
//
// No key is another's folder: whoever stores "a" must not store "a/b". Object stores do not check this. The file store
// and the memory store refuse such a key, so that a program is told on the first machine it runs on.
//
// A driver belongs to a URL scheme and registers itself when it is imported. Drivers make the requests, and wrappers do
// the rest: [Prefix], [Retry]. A wrapper has a method Unwrap() Bucket.
//
// # Limits
//
// A key has at most 1,024 bytes, and each driver documents what else its store cannot take. A listing costs one request
// a thousand keys or so: read by known keys where there are many. No URL holds a password: credentials come from the
// environment, as each driver says.
//
// # Input
//
// [Splits] cuts the objects that a URL or a pattern names into byte ranges, one a task; [SplitsOf] takes several URLs. A
// reader yields what begins in such a range, so that over all of them each line, record or row comes out once, whatever
// the size of the ranges: [Lines], [LinesAt], [Delimited], [Records], [CSV], [JSONLines]; [Chunks] yields the bytes of a range. It
// reads ahead in the background while its loop works, in bounded memory, and it unpacks gzip and zstd.
//
//	splits, err := storage.Splits(ctx, "s3://bucket/logs/2024-*/*.csv", 0)
//	...
//	for row, err := range storage.CSV(ctx, splits[0], storage.CSVOptions{}) {
//		...
//		city, ok := row.Get("city") // ok is false where the header has no such column
//	}
//
// What a reader yields is valid until the next step. An object that was replaced since it was split is [ErrChanged].
// What goes wrong with an object is an [*Error], which names it.
package storage
