package main

import (
	"strings"
	"testing"

	"github.com/gowren/gowren/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func TestDoctor(t *testing.T) {
	out, bad, status := programtest.Run(t, "-destroy")
	if status != 0 || strings.Count(out, "ok ") != 4 || !strings.Contains(out, "hello, world") {
		t.Errorf("status %d: %s%s", status, out, bad)
	}
	t.Setenv("GOWREN_PROGRAM", "/no/such/program")
	out, bad, status = programtest.Run(t, "-destroy")
	if status != 1 || !strings.Contains(out, "FAIL") || !strings.Contains(out, "removed") || !strings.Contains(out, "/no/such/program") {
		t.Errorf("status %d: %s%s", status, out, bad)
	}
}
