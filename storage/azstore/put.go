package azstore

import (
	"bytes"
	"context"
	"crypto/md5" // the checksum of the service
	"errors"
	"io"
	"io/fs"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
)

// Put implements [storage.Bucket]. An object of up to 8 MiB is one request.
func (b *bucket) Put(ctx context.Context, key string, data io.Reader) error {
	if err := b.put(ctx, key, data, nil); err != nil {
		return b.fail(ctx, "put", key, err)
	}
	return nil
}

// PutNew implements [storage.Bucket]. The request that makes the object is sent once. Of a large object whose key is
// found taken at once, no more than the first 16 MiB are read.
func (b *bucket) PutNew(ctx context.Context, key string, data io.Reader) error {
	if err := b.put(ctx, key, data, none); err != nil {
		return b.fail(ctx, "putnew", key, err)
	}
	return nil
}

// none is the condition that there is no object yet.
var none = func() *blob.AccessConditions {
	all := azcore.ETagAny
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: &all}}
}()

func (b *bucket) put(ctx context.Context, key string, data io.Reader, when *blob.AccessConditions) error {
	if err := ready(ctx, key); err != nil {
		return err
	}
	src := &source{data: data}
	first, err := src.next(ctx, blockSize(0))
	if err != nil {
		return err
	}
	second, err := src.next(ctx, blockSize(1))
	if err != nil {
		return err
	}
	if len(second) == 0 {
		return b.upload(ctx, key, first, when)
	}
	if when != nil {
		if _, err := b.head(ctx, key); err == nil {
			return fs.ErrExist
		} else if kind := b.explain("putnew", err); !errors.Is(kind, fs.ErrNotExist) {
			return err
		}
	}
	return b.putBlocks(ctx, key, src, [2][]byte{first, second}, when)
}

// upload makes an object of one request.
func (b *bucket) upload(ctx context.Context, key string, data []byte, when *blob.AccessConditions) error {
	ctx = b.begin(once(ctx, when), kindPut, key)
	_, err := b.client.Upload(ctx, body(data), &blockblob.UploadOptions{
		TransactionalValidation: checksum(data),
		AccessConditions:        when,
	})
	if err == nil && callOf(ctx).sent.Load() == 1 { // no earlier attempt can be reading it still
		recycle(data)
	}
	return err
}

// once switches the SDK's retries off for a request with a condition: the second attempt would report the object of the
// first, whose answer was lost, as another's.
func once(ctx context.Context, when *blob.AccessConditions) context.Context {
	if when == nil {
		return ctx
	}
	return policy.WithRetryOptions(ctx, policy.RetryOptions{MaxRetries: -1})
}

func body(data []byte) io.ReadSeekCloser { return streaming.NopCloser(bytes.NewReader(data)) }

// checksum makes the service refuse data that was changed on the way.
func checksum(data []byte) blob.TransferValidationType {
	sum := md5.Sum(data)
	return blob.TransferValidationTypeMD5(sum[:])
}
