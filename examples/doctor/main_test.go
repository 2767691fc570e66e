package main

import (
	"strings"
	"testing"

	"github.com/gowren/gowren/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func TestDoctor(t *testing.T) {
	out, bad, status := programtest.Run(t)
	if status != 0 || strings.Count(out, "ok ") != 3 || !strings.Contains(out, "hello, world") {
		t.Errorf("status %d: %s%s", status, out, bad)
	}
	if out, bad, status = programtest.Run(t, "destroy"); status != 2 || out != "" || !strings.Contains(bad, "no arguments") {
		t.Errorf("an argument: status %d: %s%s", status, out, bad)
	}
	t.Setenv("GOWREN_PROGRAM", "/no/such/program")
	if out, bad, status = programtest.Run(t, "-destroy"); status != 0 || !strings.Contains(out, "nothing is left") {
		t.Errorf("status %d: %s%s", status, out, bad)
	}
	out, bad, status = programtest.Run(t)
	if status != 1 || !strings.Contains(out, "FAIL") || !strings.Contains(out, "/no/such/program") {
		t.Errorf("status %d: %s%s", status, out, bad)
	}
}

// TestUnread: a program whose output nobody reads tells so.
func TestUnread(t *testing.T) {
	t.Parallel()
	if stderr, status, _ := programtest.Unread(t); status != 1 || !strings.Contains(stderr, "broken pipe") {
		t.Errorf("exit status %d, %s", status, stderr)
	}
}
