package lambda

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// holderVariable makes this test binary a process that runs a function, and does not end by itself.
const holderVariable = "GOWREN_TEST_LAMBDA_HOLDER"

// hold is such a process. It tells where its function lives, and waits for its own end.
func hold(m *testing.M) int {
	os.Args = []string{os.Args[0], "-test.run=^TestHold$", "-test.v"}
	return m.Run()
}

// TestHold is for the process that holds.
func TestHold(t *testing.T) {
	if os.Getenv(holderVariable) == "" {
		t.Skip("it is for another process")
	}
	a := started(t, Options{Unconfined: os.Getenv(holderVariable) == "unconfined"})
	a.create("f")
	child := a.mustInvoke("f", `{"Do":"child"}`)
	pids := a.Environments("f")
	memory, freezer := "", ""
	if a.Confines() {
		memory, freezer = a.jailed()
	}
	fmt.Printf("holding %d %s %s %s\n", pids[0], child, memory, freezer)
	time.Sleep(time.Hour)
}
