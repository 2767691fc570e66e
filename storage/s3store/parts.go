package s3store

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/crc64nvme"
)

// The transfer manager of the SDK is not used: its buffers are of one upload, so that 16 at once hold 16 times as much;
// it writes to the standard log when the last request fails, as it does for each PutNew that comes second; when the
// abort fails too, its error hides the kind of the first; and its way of calling leaves no room for one attempt at the
// last request and several at the others.

// abortTime bounds the abort of an upload, which is made after the context has ended too.
const abortTime = 30 * time.Second

// upload is one object in parts.
type upload struct {
	op     string
	b      *bucket
	key    string
	id     *string
	stop   context.CancelCauseFunc
	wg     sync.WaitGroup
	free   chan []byte // buffers that are not in use
	second bool        // a second buffer of more than partSize was made

	mu    sync.Mutex
	parts map[int32]types.CompletedPart
}

// sendParts uploads first and what follows. Nothing of it can be seen before the last request.
func (b *bucket) sendParts(ctx context.Context, op, key string, first []byte, data *source) error {
	in := &s3.CreateMultipartUploadInput{Bucket: &b.name, Key: &key}
	if b.sums {
		// The one checksum of which all stores that know it make one of the whole object, by which a reader can check it.
		in.ChecksumAlgorithm, in.ChecksumType = types.ChecksumAlgorithmCrc64nvme, types.ChecksumTypeFullObject
	}
	made, err := b.client.CreateMultipartUpload(ctx, in)
	if err != nil {
		freeFirst(first)
		return err
	}
	u := &upload{b: b, op: op, key: key, id: made.UploadId, free: make(chan []byte, ahead), parts: map[int32]types.CompletedPart{}}
	err = u.run(ctx, first, data)
	if err == nil {
		err = u.complete(ctx)
	}
	if err != nil {
		return u.abort(ctx, err)
	}
	return nil
}

// run sends the parts, and returns when none is on the way any more.
func (u *upload) run(ctx context.Context, first []byte, data *source) error {
	sending, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	u.stop = stop
	buf, mine := first, []*[]byte{}
	var err error
	for number := int32(1); ; number++ {
		if number > maxParts {
			err = tooMany()
			break
		}
		part := buf
		u.wg.Go(func() { u.sendPart(sending, number, part) })
		if data.ended {
			break
		}
		// take may return the buffer of the part that has failed: that one is free too.
		if buf = u.take(sending, &mine, data.size); buf == nil || sending.Err() != nil {
			break // a part has failed
		}
		buf = buf[:data.size]
		var n int
		if n, err = data.read(buf); err != nil {
			u.free <- buf
			break
		}
		buf = buf[:n]
	}
	if err != nil {
		stop(err)
	}
	u.wg.Wait()
	for _, spare := range mine {
		giveSpare(spare)
	}
	freeFirst(first)
	if err == nil {
		err = context.Cause(sending)
	}
	return err
}

// take returns a buffer to read the next part into: a free one, a new one as far as memory goes, or the next to become
// free. It returns nil when a part has failed.
func (u *upload) take(ctx context.Context, mine *[]*[]byte, size int) []byte {
	select {
	case buf := <-u.free:
		return buf
	default:
	}
	if size > partSize && !u.second { // of a very large object: two parts at once
		u.second = true
		return make([]byte, size)
	}
	if size == partSize && len(*mine) < ahead-1 {
		if spare := trySpare(); spare != nil {
			*mine = append(*mine, spare)
			return *spare
		}
	}
	select {
	case buf := <-u.free:
		return buf
	case <-ctx.Done():
		return nil
	}
}

// sendPart sends one part. The first that fails stops all.
func (u *upload) sendPart(ctx context.Context, number int32, p []byte) {
	defer func() { u.free <- p[:cap(p)] }()
	in := &s3.UploadPartInput{
		Bucket: &u.b.name, Key: &u.key, UploadId: u.id, PartNumber: &number,
		Body: bytes.NewReader(p), ContentLength: aws.Int64(int64(len(p))),
	}
	done := types.CompletedPart{PartNumber: &number}
	if u.b.sums {
		in.ChecksumCRC64NVME = aws.String(sum64(p))
		done.ChecksumCRC64NVME = in.ChecksumCRC64NVME
	}
	out, err := u.b.client.UploadPart(ctx, in)
	if err != nil {
		u.stop(err)
		return
	}
	done.ETag = out.ETag
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parts[number] = done
}

// sum64 is the CRC64NVME as S3 writes it.
func sum64(p []byte) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, crc64nvme.Checksum(p)))
}

// complete makes the object of the parts. For PutNew it is tried once: a second attempt would meet the first one's object
// and take it for another's. A conflict is no exception here: S3 wants all parts anew then.
func (u *upload) complete(ctx context.Context) error {
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &u.b.name, Key: &u.key, UploadId: u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: inOrder(u.parts)},
	}
	if u.b.sums {
		in.ChecksumType = types.ChecksumTypeFullObject
	}
	var options []func(*s3.Options)
	if u.op == "putnew" {
		in.IfNoneMatch = aws.String("*")
		options = append(options, once())
	}
	_, err := u.b.client.CompleteMultipartUpload(ctx, in, options...)
	return err
}

// abort takes the parts away, which would cost money for ever, though nobody sees them. Its own failure is only told.
func (u *upload) abort(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	_, err := u.b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &u.b.name, Key: &u.key, UploadId: u.id})
	if err == nil || isCode(err, "NoSuchUpload") {
		return cause
	}
	return fmt.Errorf("%w (and the parts of the upload %s stay: %s)", u.b.explain(u.op, cause), aws.ToString(u.id),
		u.b.explain("delete", err).Error()) // as text: its kind is not that of the failure
}
