package main

import (
	"testing"

	"github.com/gowren/gowren/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func TestProgram(t *testing.T) {
	t.Parallel()
	stdout, stderr, status := programtest.Run(t)
	if stdout != "[1 4 9 16 25]\n" || status != 0 {
		t.Errorf("%q, exit status %d: %s", stdout, status, stderr)
	}
}
