package s3store

import (
	"fmt"
	"time"

	"github.com/gowren/gowren/storage"
)

func init() { maxBackoff = 20 * time.Millisecond }

// PartSize is that of uploads and downloads.
const PartSize = partSize

// Counts tells what was asked of the store through a bucket.
func Counts(b storage.Bucket) string {
	for {
		s3, ok := b.(*bucket)
		if ok {
			n := s3.counts
			return fmt.Sprintf("put %d, get %d, list %d, delete %d, head %d, part %d, other %d, retries %d, up %d, down %d",
				n.put.Load(), n.get.Load(), n.list.Load(), n.delete.Load(), n.head.Load(), n.part.Load(), n.other.Load(),
				n.retries.Load(), n.up.Load(), n.down.Load())
		}
		b = b.(interface{ Unwrap() storage.Bucket }).Unwrap()
	}
}

// SparesInUse is how many of the shared buffers are taken.
func SparesInUse() int { return len(spares) }
