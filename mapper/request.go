package mapper

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/sched"
	"github.com/gowren/gowren/internal/wire"
)

// request makes the request of a batch. Inputs ride in it where they are small; otherwise all of the batch are packed
// into one object.
func (j *job) request(ctx context.Context, s *sched.Slot, b *sched.Batch) (backends.Request, error) {
	r := j.header
	size := 0
	r.Tasks = s.Tasks[:0]
	for i := range b.Tasks {
		t := &b.Tasks[i]
		r.Tasks = append(r.Tasks, wire.Task{Index: t.Index, Attempt: int(t.Attempt) + 1, Data: t.Data, Offset: int64(size), Size: int64(len(t.Data))})
		size += len(t.Data)
	}
	if size > j.inlineLimit() {
		parts := make([]io.Reader, len(b.Tasks))
		for i := range b.Tasks {
			parts[i] = bytes.NewReader(b.Tasks[i].Data)
		}
		r.Object = j.newKey()
		if err := j.put(ctx, r.Object, io.MultiReader(parts...)); err != nil {
			return backends.Request{}, fmt.Errorf("inputs of %d bytes: %w", size, err)
		}
	}
	s.Buffer = wire.AppendRequest(s.Buffer[:0], &r)
	j.collected.sent.Add(int64(size))
	clear(r.Tasks)
	s.Tasks = r.Tasks
	request := backends.Request{Body: s.Buffer, Prefix: j.prefix()}
	if j.ex.options.Detached {
		j.detach(b, &request)
	}
	return request, nil
}

func (j *job) put(ctx context.Context, key string, data io.Reader) error {
	j.dirty.Store(true)
	return j.collected.bucket.Put(ctx, key, data)
}

// result takes a task's result.
func (j *job) result(ctx context.Context, s *sched.Slot, t *sched.Task, v sched.Value) *sched.Failure {
	if v.Stored != nil {
		j.dirty.Store(true)
	}
	if err := j.receive(v); err != nil {
		return unreadable(err)
	}
	bad := j.accept(ctx, s, t, v)
	if bad == nil && j.resumed != nil {
		j.resumed.record(t, v)
	}
	return bad
}

// receive counts a result from a worker, unless that names an object which is not the job's.
func (j *job) receive(v sched.Value) error {
	if v.Stored != nil {
		if !strings.HasPrefix(v.Stored.Key, j.prefix()+"/out/") {
			return fmt.Errorf("a worker names %q as its result, which is not the job's", v.Stored.Key)
		}
		j.collected.received.Add(v.Stored.Size)
	}
	j.collected.received.Add(int64(len(v.Data)))
	return nil
}

// decode decodes a value into what out points to, and returns its encoded size.
func (j *job) decode(ctx context.Context, s *sched.Slot, v sched.Value, out any) (int, *sched.Failure) {
	data, bad := j.fetch(ctx, v)
	if bad != nil {
		return 0, bad
	}
	if err := s.Coder.Decode(data, out); err != nil {
		return 0, &sched.Failure{Failure: wire.Failure{Cause: wire.CauseResult}, Err: fmt.Errorf("the result could not be decoded: %w", err)}
	}
	return len(data), nil
}

// fetch returns a value's bytes, from the bucket if need be.
func (j *job) fetch(ctx context.Context, v sched.Value) ([]byte, *sched.Failure) {
	if v.Stored == nil {
		return v.Data, nil
	}
	r, err := j.collected.bucket.Get(ctx, v.Stored.Key, 0, -1)
	if err != nil {
		return nil, unreadable(err)
	}
	defer r.Close()
	// The buffer grows with what comes, not with what was claimed.
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, r); err != nil {
		return nil, unreadable(err)
	}
	if int64(buf.Len()) != v.Stored.Size || wire.Checksum(buf.Bytes()) != v.Stored.Sum {
		return nil, unreadable(fmt.Errorf("object %q is not what the worker wrote (%d of %d bytes, or the checksum): %w",
			v.Stored.Key, buf.Len(), v.Stored.Size, wire.ErrCorrupt))
	}
	return buf.Bytes(), nil
}

// unreadable is the failure of a result that another attempt may bring.
func unreadable(err error) *sched.Failure {
	return &sched.Failure{Failure: wire.Failure{Cause: wire.CauseResult, Again: true}, Err: fmt.Errorf("the result could not be read: %w", err)}
}
