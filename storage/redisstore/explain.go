package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gowren/gowren/storage"
)

// kinds are the server's errors that mean something to a caller, by how they begin.
var kinds = []struct {
	begins []string
	is     error // nil where it is of no known kind
	say    string
}{
	{
		[]string{"NOAUTH", "WRONGPASS", "ERR invalid password", "ERR AUTH"}, fs.ErrPermission,
		"the server does not take the credentials: the password belongs in " + passwordVariable +
			", and a user other than the default one in the URL",
	},
	{
		[]string{"NOPERM", "ERR ACL failure in script"}, fs.ErrPermission,
		"the user may not do this: the documentation of package redisstore lists the commands and keys that are needed",
	},
	// In none of these was anything done.
	{[]string{"LOADING"}, storage.ErrThrottled, "the server is still loading its data"},
	{[]string{"BUSY "}, storage.ErrThrottled, "another's script holds up the server"},
	{[]string{"TRYAGAIN", "MASTERDOWN"}, storage.ErrThrottled, "the server is not ready"},
	{[]string{"ERR max number of clients reached"}, storage.ErrThrottled, "the server has no room for another connection"},
	// Not throttled: who waits for memory to become free may wait for ever.
	{
		[]string{"OOM"}, nil,
		"the server's memory is full: raise its maxmemory, delete objects, or let them expire with ?ttl= in the URL",
	},
	{[]string{"READONLY"}, nil, "the server is a replica, which cannot be written to"},
	{[]string{"MOVED", "ASK ", "CLUSTERDOWN", "CROSSSLOT"}, nil, "Redis Cluster is not supported"},
	{[]string{"WRONGTYPE"}, nil, "the database holds something else under a name that begins with gowren:"},
	{[]string{"ERR DB index is out of range"}, fs.ErrInvalid, "the server has no database of that number"},
}

// explain tells an error of the client library in the words of package storage.
func (b *bucket) explain(ctx context.Context, err error) error {
	err = b.scrub(err)
	if e := over(ctx); e != nil {
		return fmt.Errorf("%w: %w", e, err)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errors.New(err.Error()) // a timeout of the client library's own, which another attempt may not meet
	}
	if errors.Is(err, redis.ErrClosed) || errors.Is(err, net.ErrClosed) { // before or during the request
		return fs.ErrClosed
	}
	for _, k := range kinds {
		for _, begin := range k.begins {
			if !redisSays(err, begin) {
				continue
			}
			if k.is == nil {
				return fmt.Errorf("%s: %w", k.say, err)
			}
			return fmt.Errorf("%w: %s: %w", k.is, k.say, err)
		}
	}
	return err
}

// over returns ctx's error. A connection's deadline, which is that of ctx, can be met some moments before ctx knows.
func over(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) && ctx.Err() == nil {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// redisSays tells whether err is an answer of the server that begins so.
func redisSays(err error, begin string) bool {
	var answer redis.Error
	return errors.As(err, &answer) && strings.HasPrefix(answer.Error(), begin)
}

// scrub takes the password out of an error: a server, or what stands before it, may repeat a command that it does not
// know with all that came with it.
func (b *bucket) scrub(err error) error {
	if b.password == "" || !strings.Contains(err.Error(), b.password) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), b.password, "(password)"))
}
