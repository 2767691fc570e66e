package s3store

import (
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/crc64nvme"

	"github.com/gowren/gowren/storage"
)

// wholeSum checks an object that is read in several ranges. S3 sends no checksum with those, and one for the whole
// object with a HeadObject, which is asked for beside them. Until it is there the three sums it may be are all made,
// which the processor does as fast as it copies memory.
type wholeSum struct {
	crc64, crc32, crc32c hash.Hash
	asked                chan struct{} // nil until asked for; closed when answered
	told                 *s3.HeadObjectOutput
	err                  error
}

func newWholeSum() *wholeSum {
	return &wholeSum{crc64: crc64nvme.New(), crc32: crc32.NewIEEE(), crc32c: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
}

func (s *wholeSum) write(p []byte) {
	for _, h := range []hash.Hash{s.crc64, s.crc32, s.crc32c} {
		_, _ = h.Write(p) // never fails
	}
}

// ask asks for the object's checksum, once.
func (s *wholeSum) ask(r *reader) {
	if s.asked != nil {
		return
	}
	s.asked = make(chan struct{})
	go func() {
		defer close(s.asked)
		s.told, s.err = r.b.client.HeadObject(r.ctx, &s3.HeadObjectInput{
			Bucket: &r.b.name, Key: &r.key, IfMatch: &r.etag, ChecksumMode: types.ChecksumModeEnabled,
		})
	}()
}

// wait returns when nothing is on the way any more.
func (s *wholeSum) wait() {
	if s.asked != nil {
		<-s.asked
	}
}

// check compares the sums when all was read. An object may have none that can be compared: one of parts' checksums
// ("…-8"), or of a kind that is made by hand.
func (s *wholeSum) check(r *reader) error {
	s.wait()
	if s.err != nil {
		err := r.b.explain("get", s.err)
		if errors.Is(err, storage.ErrChanged) || r.ctx.Err() != nil {
			return s.err
		}
		// It is final, or another Get would find nothing left to read, and take that for a good end.
		return fmt.Errorf("%w, or not: its checksum could not be asked for: %v", storage.ErrDamaged, err) //nolint:errorlint // its class must not show
	}
	if s.told.ChecksumType == types.ChecksumTypeComposite {
		return nil // with or without the "-8"
	}
	for _, c := range []struct {
		name string
		told *string
		h    hash.Hash
	}{
		{"CRC64NVME", s.told.ChecksumCRC64NVME, s.crc64}, {"CRC32", s.told.ChecksumCRC32, s.crc32},
		{"CRC32C", s.told.ChecksumCRC32C, s.crc32c},
	} {
		told := aws.ToString(c.told)
		if told == "" || strings.Contains(told, "-") {
			continue
		}
		if got := base64.StdEncoding.EncodeToString(c.h.Sum(nil)); got != told {
			return fmt.Errorf("%w: their %s is %s, and the object's %s", storage.ErrDamaged, c.name, got, told)
		}
	}
	return nil
}
