package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gowren/gowren/storage"
)

func (b *bucket) Put(ctx context.Context, key string, data io.Reader) error {
	return b.put(ctx, "put", key, data)
}

func (b *bucket) PutNew(ctx context.Context, key string, data io.Reader) error {
	return b.put(ctx, "putnew", key, data)
}

func (b *bucket) put(ctx context.Context, op, key string, data io.Reader) error {
	err := storage.CheckKey(key)
	if err == nil {
		u := upload{bucket: b, key: key, fresh: op == "putnew", header: header{version: rand.Text()}, touched: time.Now()}
		err = u.run(ctx, storage.WithContext(ctx, data))
	}
	if err != nil {
		return b.fail(op, key, err)
	}
	return nil
}

// upload is a Put under way.
type upload struct {
	*bucket
	key     string
	fresh   bool // it is a PutNew
	header  header
	touched time.Time // when the oldest part was last given time
}

func (u *upload) run(ctx context.Context, data io.Reader) error {
	buf, end, err := fill(data, nil, u.inline+1)
	if err != nil {
		return err
	}
	if end && len(buf) <= u.inline {
		u.header.size = int64(len(buf))
		return u.commit(ctx, buf)
	}
	if err = u.send(ctx, data, buf, end); err == nil {
		if err = u.commit(ctx, nil); err == nil || !redis.IsOOMError(err) {
			// Of an unknown outcome too: were the object there, it would lose its parts.
			return err
		}
	}
	u.discard(ctx)
	return err
}

// send writes the parts. The first bytes are in buf already, and all of them at the end of data.
func (u *upload) send(ctx context.Context, data io.Reader, buf []byte, end bool) error {
	if u.fresh {
		n, err := call(ctx, u.bucket, func(ctx context.Context) (int64, error) {
			return u.client.Exists(ctx, objectName+u.key).Result()
		})
		if err != nil {
			return err
		}
		if n > 0 {
			return fs.ErrExist // which commit would say, after all the parts
		}
	}
	u.header.part = int64(u.part)
	for {
		var err error
		if !end {
			if buf, end, err = fill(data, buf, u.part); err != nil {
				return err
			}
		}
		if len(buf) > 0 {
			if err := u.write(ctx, buf); err != nil {
				return err
			}
		}
		if end {
			return nil
		}
		buf = buf[:0]
	}
}

// write writes the next part, and sees that the earlier ones last.
func (u *upload) write(ctx context.Context, part []byte) error {
	name := u.header.partName(u.header.parts())
	_, err := call(ctx, u.bucket, func(ctx context.Context) (string, error) {
		return u.client.Set(ctx, name, part, u.keep).Result()
	})
	if err != nil {
		return err
	}
	u.header.size += int64(len(part))
	if time.Since(u.touched) < u.keep/4 {
		return nil
	}
	u.touched = time.Now()
	_, err = call(ctx, u.bucket, func(ctx context.Context) (any, error) {
		v, err := touch.Run(ctx, u.client, nil, u.header.begin(), u.keep.Milliseconds()).Result()
		if err == redis.Nil {
			err = nil // the script answers nothing
		}
		return v, err
	})
	return err
}

// commit makes the object of its parts, or of its bytes.
func (u *upload) commit(ctx context.Context, bytes []byte) error {
	answer, err := change(ctx, u.bucket, func(ctx context.Context) (string, error) {
		return commit.Run(ctx, u.client, []string{indexName}, u.key, u.header.begin(), bytes, u.fresh,
			u.ttl.Milliseconds(), grace.Milliseconds()).Text()
	})
	switch {
	case err != nil:
		return err
	case answer == committed:
		return nil
	case answer == taken:
		return fs.ErrExist
	case answer == lost:
		return fmt.Errorf("parts that were written are gone: data came too slowly (they are kept for %v), or the server drops keys: "+
			"its maxmemory-policy must be noeviction", u.keep)
	}
	return fmt.Errorf("the server's script answers %q", answer)
}

// discard removes the parts of an upload that is given up. Where it cannot, they go by themselves.
func (u *upload) discard(ctx context.Context) {
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	for i := range u.header.parts() {
		_, err := call(ctx, u.bucket, func(ctx context.Context) (int64, error) {
			return u.client.Unlink(ctx, u.header.partName(i)).Result()
		})
		if err != nil {
			return
		}
	}
}

func (h header) partName(i int64) string {
	return partName + h.version + ":" + strconv.FormatInt(i, 10)
}

// fill reads until buf has limit bytes or data end. It makes room as the bytes come, so that a small object takes
// little.
func fill(data io.Reader, buf []byte, limit int) (filled []byte, end bool, err error) {
	for stalled := 0; len(buf) < limit; {
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(limit, max(4<<10, 2*cap(buf))))
			copy(grown, buf)
			buf = grown
		}
		n, err := data.Read(buf[len(buf):min(cap(buf), limit)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, true, nil
		}
		if err != nil {
			return buf, false, err
		}
		if n > 0 {
			stalled = 0
		} else if stalled++; stalled == 100 {
			return buf, false, io.ErrNoProgress
		}
	}
	return buf, false, nil
}

// errGone reports that the part that a reader needs is not there.
var errGone = errors.New("the server has lost a part of the object: it may drop keys, and its maxmemory-policy must be noeviction")
