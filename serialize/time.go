package serialize

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"time"
)

// A time in UTC is msgpack's timestamp, in the shortest of its three forms. Any other is an extension of its own:
// seconds, nanoseconds, offset from UTC, and the abbreviation of the zone: so a worker in another zone sees the same
// hour, and the same day, as the program that made the time.

const zonedHead = 8 + 4 + 4

func encodeTime(c *Coder, v reflect.Value) (err error) {
	t := *v.Addr().Interface().(*time.Time)
	c.out.b, err = appendTime(c.out.b, t)
	return err
}

func appendTime(dst []byte, t time.Time) ([]byte, error) {
	be := binary.BigEndian
	sec, nsec := t.Unix(), uint32(t.Nanosecond())
	zone, offset := t.Zone()
	if offset != 0 || zone != "UTC" {
		dst, err := appendExtHead(dst, extZoned, zonedHead+len(zone))
		dst = be.AppendUint64(dst, uint64(sec))
		dst = be.AppendUint32(dst, nsec)
		dst = be.AppendUint32(dst, uint32(int32(offset)))
		return append(dst, zone...), err
	}
	switch {
	case uint64(sec)>>32 == 0 && nsec == 0:
		dst, _ = appendExtHead(dst, extTime, 4)
		return be.AppendUint32(dst, uint32(sec)), nil
	case uint64(sec)>>34 == 0:
		dst, _ = appendExtHead(dst, extTime, 8)
		return be.AppendUint64(dst, uint64(nsec)<<34|uint64(sec)), nil
	}
	dst, _ = appendExtHead(dst, extTime, 12)
	return be.AppendUint64(be.AppendUint32(dst, nsec), uint64(sec)), nil
}

func decodeTime(c *Coder, v reflect.Value) error {
	tok, err := c.head()
	if err != nil {
		return err
	}
	if tok.form != formExt {
		return mismatch(tok, v.Type())
	}
	t, err := timeOf(tok.ext, c.payload(tok))
	if err != nil {
		return err
	}
	*v.Addr().Interface().(*time.Time) = t
	return nil
}

func timeOf(ext int8, b []byte) (time.Time, error) {
	be := binary.BigEndian
	switch {
	case ext == extZoned && len(b) >= zonedHead:
		t := time.Unix(int64(be.Uint64(b)), int64(be.Uint32(b[8:])))
		return t.In(time.FixedZone(string(b[zonedHead:]), int(int32(be.Uint32(b[12:]))))), nil
	case ext == extTime && len(b) == 4:
		return time.Unix(int64(be.Uint32(b)), 0).UTC(), nil
	case ext == extTime && len(b) == 8:
		n := be.Uint64(b)
		return time.Unix(int64(n&(1<<34-1)), int64(n>>34)).UTC(), nil
	case ext == extTime && len(b) == 12:
		return time.Unix(int64(be.Uint64(b[4:])), int64(be.Uint32(b))).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("extension %d of %d bytes is no time", ext, len(b))
}
