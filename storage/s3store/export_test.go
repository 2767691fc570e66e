package s3store

import "time"

func init() { maxBackoff = 20 * time.Millisecond }

// PartSize is that of uploads and downloads.
const PartSize = partSize

// SparesInUse is how many of the shared buffers are taken.
func SparesInUse() int { return len(spares) }
