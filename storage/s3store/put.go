package s3store

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Put stores data in one request, or, where it is larger than a part, in parts that are sent side by side.
func (b *bucket) Put(ctx context.Context, key string, data io.Reader) error {
	return b.store(ctx, "put", key, data)
}

// PutNew is Put under the condition that the key is free. The request that commits is sent once.
func (b *bucket) PutNew(ctx context.Context, key string, data io.Reader) error {
	return b.store(ctx, "putnew", key, data)
}

func (b *bucket) store(ctx context.Context, op, key string, data io.Reader) error {
	err := b.check(ctx, key)
	if err == nil {
		err = b.send(ctx, op, key, newSource(ctx, data))
	}
	if err != nil {
		return b.fail(ctx, op, key, err)
	}
	return nil
}

// send reads the first part, which may be all.
func (b *bucket) send(ctx context.Context, op, key string, data *source) error {
	first, err := data.first()
	if err != nil {
		return err
	}
	if op == "putnew" && len(first) > askFirst && b.taken(ctx, key) {
		freeFirst(first)
		return fs.ErrExist
	}
	if !data.ended {
		return b.sendParts(ctx, op, key, first, data)
	}
	defer freeFirst(first)
	in := &s3.PutObjectInput{
		Bucket: &b.name, Key: &key, Body: bytes.NewReader(first), ContentLength: aws.Int64(int64(len(first))),
	}
	if b.sums {
		// Computed here, it travels in a header, which all stores know. The SDK would put it behind a body in chunks.
		in.ChecksumCRC32 = aws.String(sum32(first))
	}
	var options []func(*s3.Options)
	if op == "putnew" {
		in.IfNoneMatch = aws.String("*")
		options = append(options, once("ConditionalRequestConflict"))
	}
	_, err = b.client.PutObject(ctx, in, options...)
	return err
}

// askFirst is the size above which PutNew asks whether the key is taken before it sends anything. That saves the bytes;
// and a server may refuse a large request while it is still being sent, and reset the connection, so that the client
// never reads why: a retry would meet the same again.
const askFirst = 1 << 20

// taken tells whether the store says that the key is taken. Whether it is free, only the PutObject decides.
func (b *bucket) taken(ctx context.Context, key string) bool {
	_, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key})
	return err == nil
}

// sum32 is the CRC32 as S3 writes it. It is the checksum that the most stores know, for an object of one request.
func sum32(p []byte) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(p)))
}

// parts of an upload, as CompleteMultipartUpload wants them: in order.
func inOrder(parts map[int32]types.CompletedPart) []types.CompletedPart {
	list := make([]types.CompletedPart, 0, len(parts))
	for i := range int32(len(parts)) {
		list = append(list, parts[i+1])
	}
	return list
}
