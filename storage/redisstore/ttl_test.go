package redisstore

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"
)

// TestExpiry has objects go by themselves: each of them, its parts, and its entry in listings.
func TestExpiry(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := freshURL(t, server(t))
	lasting := opened(t, url).(*bucket)
	b := opened(t, url+"?ttl=2s").(*bucket)
	b.inline, b.part = 10, 16
	put(t, lasting, "stays", "x")
	put(t, b, "small", "1")
	put(t, b, "large", text(100))
	for _, name := range names(t, b, partName+"*") {
		if left := b.client.PTTL(ctx, name).Val(); left <= 2*time.Second || left > 2*time.Second+grace {
			t.Errorf("%s is left for %v", name, left) // longer than the object, for who is reading it
		}
	}
	wantList(t, b, "large", "small", "stays")
	await(t, func() bool { return b.client.Exists(ctx, objectName+"large", objectName+"small").Val() == 0 })
	for _, key := range []string{"small", "large"} {
		if _, err := b.Stat(ctx, key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Stat %s: %v", key, err)
		}
	}
	wantList(t, b, "stays")
	if left := b.client.ZRange(ctx, indexName, 0, -1).Val(); len(left) != 1 {
		t.Errorf("the index holds %q", left)
	}
	if err := b.PutNew(ctx, "small", strings.NewReader("2")); err != nil {
		t.Errorf("PutNew after expiry: %v", err)
	}
	put(t, lasting, "small", "3")
	if left := b.client.PTTL(ctx, objectName+"small").Val(); left != -1 {
		t.Errorf("what was replaced without ttl expires in %v", left)
	}
}

// TestExpiryInListings has whole pages of a listing be gone.
func TestExpiryInListings(t *testing.T) {
	t.Parallel()
	b, ctx := whole(t), t.Context()
	for i := range 2*atOnce + 500 {
		b.client.ZAdd(ctx, indexName, zero(fmt.Sprintf("dead%05d", i)))
	}
	put(t, b, "living", "x")
	put(t, b, "alive", "x")
	wantList(t, b, "alive", "living")
	if n := b.client.ZCard(ctx, indexName).Val(); n != 2 {
		t.Errorf("the index has %d entries", n)
	}
}

// TestIndexStaysSmall has nobody list.
func TestIndexStaysSmall(t *testing.T) {
	t.Parallel()
	url := freshURL(t, server(t))
	b, ctx := opened(t, url+"?ttl=1h").(*bucket), t.Context()
	const objects = 400
	for i := range objects {
		put(t, b, fmt.Sprint(i), "x")
		b.client.Del(ctx, objectName+fmt.Sprint(i)) // as if it had expired
	}
	if n := b.client.ZCard(ctx, indexName).Val(); n > objects/4 {
		t.Errorf("the index has %d entries of %d objects that are gone", n, objects)
	}
}
