package s3store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/gowren/gowren/storage"
)

const (
	// deleteBatch is S3's limit of one DeleteObjects.
	deleteBatch = 1000
	// deletesAtOnce bounds the requests of one Delete.
	deletesAtOnce = 8
	// noSuchKey is what some stores answer where S3 is content: that a key is gone is what was asked for.
	noSuchKey = "NoSuchKey"
)

// Delete makes one request for each 1,000 keys, several side by side. Keys that could not be deleted are all told.
func (b *bucket) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := storage.CheckKey(key); err != nil {
			return b.fail(ctx, "delete", key, err)
		}
	}
	if len(keys) == 1 {
		_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &keys[0]})
		if err != nil && !isCode(err, noSuchKey) {
			return b.fail(ctx, "delete", keys[0], err)
		}
		return nil
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	places := make(chan struct{}, deletesAtOnce)
	for batch := range slices.Chunk(keys, deleteBatch) {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			failed := b.deleteBatch(ctx, batch)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, failed...)
		})
	}
	wg.Wait()
	return b.joined(errs)
}

// deleteBatch deletes up to 1,000 keys.
func (b *bucket) deleteBatch(ctx context.Context, keys []string) []error {
	names := make([]types.ObjectIdentifier, len(keys))
	for i := range keys {
		names[i].Key = &keys[i]
	}
	out, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &b.name, Delete: &types.Delete{Objects: names, Quiet: aws.Bool(true)},
	})
	if err != nil {
		return []error{b.fail(ctx, "delete", keys[0], err)}
	}
	var errs []error
	for _, e := range out.Errors {
		if aws.ToString(e.Code) != noSuchKey {
			errs = append(errs, b.keyError(e))
		}
	}
	return errs
}

// keyError is the error of one key of a batch.
func (b *bucket) keyError(e types.Error) error {
	advice, kind := b.classify("delete", 0, aws.ToString(e.Code))
	words := fmt.Sprintf("the store answers %s: %s", aws.ToString(e.Code), aws.ToString(e.Message))
	if advice != "" {
		words += ": " + advice
	}
	return &storage.Error{Op: "delete", URL: b.url, Key: aws.ToString(e.Key), Err: &explained{kind, words, errors.New(words)}}
}

// joined makes one error of several: one that names an operation, as the contract wants it, and has the others inside.
func (b *bucket) joined(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	if len(errs) == 1 {
		return errs[0]
	}
	first := new(storage.Error)
	if !errors.As(errs[0], &first) {
		return errors.Join(errs...)
	}
	return &storage.Error{Op: first.Op, URL: first.URL, Key: first.Key, Err: errors.Join(errs...)}
}
