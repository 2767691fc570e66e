package servers

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// lineServer answers each request with its own bytes.
func lineServer(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn) // until either end goes
			}()
		}
	}()
	return l.Addr().String()
}

func TestLinkFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule LinkRule
		got  string
		err  error
	}{
		"none":        {LinkRule{Sent: "other", Fault: Reset}, "request two", nil},
		"later":       {LinkRule{Sent: "two", Nth: 2, Fault: Reset}, "request two", nil},
		"reset":       {LinkRule{Sent: "two", Fault: Reset}, "", syscall.ECONNRESET},
		"lose":        {LinkRule{Nth: 2, Fault: Lose}, "", syscall.ECONNRESET},
		"stall":       {LinkRule{Sent: "two", Fault: Stall}, "", os.ErrDeadlineExceeded},
		"cut":         {LinkRule{Sent: "two", Fault: Cut, At: 4}, "requ", io.ErrUnexpectedEOF},
		"stall amid":  {LinkRule{Sent: "two", Fault: StallAt, At: 4}, "requ", os.ErrDeadlineExceeded},
		"flip answer": {LinkRule{Sent: "two", Fault: FlipAnswer, At: 10}, "request twn", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := NewLink(t, lineServer(t), c.rule)
			conn, err := net.Dial("tcp", l.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if got, err := exchange(conn, "request one"); got != "request one" || err != nil {
				t.Fatalf("before the fault: %q, %v", got, err)
			}
			got, err := exchange(conn, "request two")
			if got != c.got || !errors.Is(err, c.err) || c.err == nil && err != nil {
				t.Errorf("got %q, %v, want %q, %v", got, err, c.got, c.err)
			}
			if l.Connections() != 1 {
				t.Errorf("%d connections", l.Connections())
			}
		})
	}
}

// exchange sends a request and reads an answer of the same length.
func exchange(conn net.Conn, request string) (string, error) {
	if _, err := io.WriteString(conn, request); err != nil {
		return "", err
	}
	answer := make([]byte, len(request))
	n, err := io.ReadFull(conn, answer)
	return string(answer[:n]), err
}

func TestLinkHang(t *testing.T) {
	t.Parallel()
	l := NewLink(t, lineServer(t))
	old, err := net.Dial("tcp", l.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if got, err := exchange(old, "x"); got != "x" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	l.Hang()
	if _, err := exchange(old, "x"); err == nil {
		t.Error("a connection outlives its link")
	}
	if conn, err := net.Dial("tcp", l.Addr); err == nil {
		if _, err := exchange(conn, "x"); err == nil {
			t.Error("the link lives on")
		}
		conn.Close()
	}
}
