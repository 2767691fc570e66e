package redisstore

import (
	"context"
	"fmt"
	"net"
	"time"
)

type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// quietly returns a dialer that tells of a failure at the first use of the connection. The client library would write
// it to standard error, which belongs to the program, and after some would stop to dial for a while, so that a server
// that is back is not found. The error is the same, and it is returned.
func quietly(dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return &failed{fmt.Errorf("connect to %s: %w", addr, err)}, nil
		}
		return conn, nil
	}
}

// failed is a connection that never was.
type failed struct{ err error }

func (f *failed) Read([]byte) (int, error)         { return 0, f.err }
func (f *failed) Write([]byte) (int, error)        { return 0, f.err }
func (f *failed) Close() error                     { return nil }
func (f *failed) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (f *failed) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (f *failed) SetDeadline(time.Time) error      { return nil }
func (f *failed) SetReadDeadline(time.Time) error  { return nil }
func (f *failed) SetWriteDeadline(time.Time) error { return nil }
