package azstore

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io/fs"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
)

const (
	smallBlock = 8 << 20 // bytes
	atOnce     = 4       // blocks of one object that are sent at the same time; one more is being read
	mostBlocks = blockblob.MaxBlocks
)

// blockSize is the size of the i-th block. It grows, since an object has 50,000 blocks at most: 20,000 of 8 MiB, and
// 10,000 each of 16, 32 and 64 MiB make 1.2 TiB.
func blockSize(i int) int {
	const step = mostBlocks / 5
	return smallBlock << max(0, i/step-1)
}

// putBlocks makes an object of blocks, of which the first two are read. They are sent as they are read, and no reader
// sees them before the last request, which names them all.
func (b *bucket) putBlocks(ctx context.Context, key string, src *source, read [2][]byte, when *blob.AccessConditions) error {
	all, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var ids []string
	var group sync.WaitGroup
	places := make(chan struct{}, atOnce)
	send := func(block []byte) {
		id := newID()
		ids = append(ids, id)
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			if err := b.stage(all, key, id, block); err != nil {
				cancel(err)
			}
		})
	}
	send(read[0])
	send(read[1])
	for all.Err() == nil {
		block, err := src.next(all, blockSize(len(ids)))
		if err == nil && len(block) > 0 && len(ids) == mostBlocks {
			err = fmt.Errorf("%w: the object is larger than 1.2 TiB", fs.ErrInvalid)
		}
		if err != nil {
			cancel(err)
		} else if len(block) == 0 {
			break
		} else {
			send(block)
		}
	}
	group.Wait()
	if err := context.Cause(all); err != nil {
		return err
	}
	return b.commit(ctx, key, ids, when)
}

// newID names a block. All names of an object's blocks have one length; this is the one that the SDKs use, since
// the service would refuse ours where another's unfinished upload has others. Each is random: blocks of several writers
// do not mix, and a list of names that was changed on the way names no block.
func newID() string {
	return base64.StdEncoding.EncodeToString([]byte("gowren----" + rand.Text()))
}

// stage sends a block.
func (b *bucket) stage(ctx context.Context, key, id string, data []byte) error {
	ctx = b.begin(ctx, kindPart, key)
	_, err := b.client.StageBlock(ctx, id, body(data), &blockblob.StageBlockOptions{TransactionalValidation: checksum(data)})
	if err == nil && callOf(ctx).sent.Load() == 1 { // as in upload
		recycle(data)
	}
	return err
}

// commit makes the object of its blocks.
func (b *bucket) commit(ctx context.Context, key string, ids []string, when *blob.AccessConditions) error {
	_, err := b.client.CommitBlockList(b.begin(once(ctx, when), kindPut, key), ids,
		&blockblob.CommitBlockListOptions{AccessConditions: when})
	if err == nil || !bloberror.HasCode(err, bloberror.InvalidBlockList) {
		return err
	}
	// Whoever makes an object of this key takes the blocks of all others away.
	if when != nil {
		if _, e := b.head(ctx, key); e == nil {
			return fs.ErrExist
		}
	}
	return err
}
