package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestCloseIdle: an idle worker ends quickly and by itself.
func TestCloseIdle(t *testing.T) {
	t.Parallel()
	for range 20 {
		c, err := Start(Config{Name: "w-1"})
		if err != nil {
			t.Fatal(err)
		}
		mustAsk(t, c, "echo")
		begun := time.Now()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took > 1500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if c.state != nil || c.reason != nil {
			t.Fatalf("the worker ended with %v, %v", c.state, c.reason)
		}
		if err := c.Close(); err != nil {
			t.Errorf("closing it twice: %v", err)
		}
	}
}

// TestCloseBusy: closing a worker in the middle of its work ends it, and what its tasks started.
func TestCloseBusy(t *testing.T) {
	t.Parallel()
	c := started(t, Config{})
	kid := mustAsk(t, c, "child")
	r, err := c.Invoke(t.Context(), body("hang"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); err != nil { // then it has begun
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	awaitGone(t, kid)
	for range 100 { // what had come before
		if _, err = r.Read(make([]byte, 100)); err != nil {
			break
		}
	}
	if err == nil || err.Error() == "EOF" {
		t.Errorf("the reply of a closed worker ends with %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// TestChildren: what a worker's tasks started ends with it, in whatever way it ends.
func TestChildren(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]func(t *testing.T, c *Child){
		"closed": func(t *testing.T, c *Child) {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		},
		"exits":   func(t *testing.T, c *Child) { _ = wantLost(t, c, "exit 3", "exit status 3") },
		"crashes": func(t *testing.T, c *Child) { _ = wantLost(t, c, "crash alone", "panic: ") },
		"killed": func(_ *testing.T, c *Child) {
			c.kill(context.Canceled)
			<-c.exited
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := started(t, Config{})
			kid := mustAsk(t, c, "child")
			end(t, c)
			awaitGone(t, kid)
		})
	}
}

// TestChildApart: a process that a task started in a group of its own outlives the worker, and holds its standard output
// open. That keeps neither the reply open nor the end of the worker from being seen.
func TestChildApart(t *testing.T) {
	t.Parallel()
	c := started(t, Config{})
	kid := mustAsk(t, c, "child apart")
	defer func() {
		if err := exec.Command("kill", "-9", kid).Run(); err != nil {
			t.Error(err)
		}
	}()
	begun := time.Now()
	_ = wantLost(t, c, "exit 3", "exit status 3")
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("the worker's end was seen after %v", took)
	}
}

// driverVariable makes this test binary a driver that is meant to be killed: what its worker does meanwhile.
const driverVariable = "GOWREN_TEST_DRIVER"

// drive starts a worker and prints its number and that of a process that it started.
func drive(what string) {
	c, err := Start(Config{Name: "w-1"})
	if err != nil {
		panic(err)
	}
	pid, err := ask(context.Background(), c, "pid")
	if err != nil {
		panic(err)
	}
	kid, err := ask(context.Background(), c, "child")
	if err != nil {
		panic(err)
	}
	fmt.Println(pid, kid)
	_, err = ask(context.Background(), c, what)
	fmt.Println(err)
	time.Sleep(time.Hour)
}

// TestDriverDies: a worker whose driver is killed ends, busy or idle, and so does what its tasks started.
func TestDriverDies(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"hang", "echo"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), driverVariable+"="+what)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var pid, kid string
			if _, err := fmt.Fscan(out, &pid, &kid); err != nil {
				t.Fatal(err)
			}
			if what == "echo" {
				var end string
				if _, err := fmt.Fscan(out, &end); err != nil || !strings.Contains(end, "nil") {
					t.Errorf("the driver's request ended with %s, %v", end, err)
				}
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
			_ = cmd.Wait() // it was killed
			awaitGone(t, pid)
			awaitGone(t, kid)
		})
	}
}
