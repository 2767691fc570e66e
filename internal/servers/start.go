package servers

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// running holds the servers of this process by what was to be started.
var running = struct {
	sync.Mutex
	servers map[string]*server
}{servers: map[string]*server{}}

// server is one, as the test process sees it. No goroutine belongs to it.
type server struct {
	once   sync.Once
	addr   string
	err    error
	keeper *exec.Cmd
	leash  *os.File // the keeper ends the server when this is closed, by us or by the end of this process
}

// start returns the address of the server, which it starts where no test has asked for it before.
func start(t testing.TB, l launch) string {
	t.Helper()
	l.Program = find(t, kinds[l.Kind])
	spec, err := l.spec()
	if err != nil {
		t.Fatal(err)
	}
	running.Lock()
	s := running.servers[spec]
	if s == nil {
		s = &server{}
		running.servers[spec] = s
	}
	running.Unlock()
	s.once.Do(func() { s.err = s.start(spec) })
	if s.err != nil {
		t.Fatalf("%s does not start: %v", kinds[l.Kind].title, s.err)
	}
	return s.addr
}

// spec is what the keeper is told.
func (l launch) spec() (string, error) {
	spec, err := json.Marshal(l)
	return string(spec), err
}

// start starts the keeper and waits for what it has to say.
func (s *server) start(spec string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	leashEnd, leash, err := os.Pipe()
	if err != nil {
		return err
	}
	said, sayEnd, err := os.Pipe()
	if err != nil {
		return errors.Join(err, leashEnd.Close(), leash.Close())
	}
	// The keeper has none of our outputs: whoever reads them would wait for its end too. A group of its own keeps a
	// terminal's signals away, so that it lives to remove the data. The race detector would make it sleep at its end.
	s.keeper = exec.Command(program)
	s.keeper.Env = append(os.Environ(), keeperVariable+"="+spec, "GORACE=atexit_sleep_ms=0")
	s.keeper.Stdin, s.keeper.Stdout, s.keeper.Stderr = leashEnd, sayEnd, sayEnd
	s.keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = s.keeper.Start()
	err = errors.Join(err, leashEnd.Close(), sayEnd.Close())
	if err != nil {
		return errors.Join(err, leash.Close(), said.Close())
	}
	s.leash = leash
	r := bufio.NewReader(said)
	line, err := r.ReadString('\n')
	addr, ready := strings.CutPrefix(line, readyWord)
	if ready && err == nil {
		s.addr = strings.TrimSuffix(addr, "\n")
		return said.Close()
	}
	rest, _ := io.ReadAll(r) // to the keeper's end; what can be read is told
	return fmt.Errorf("%s%s%w", line, rest, errors.Join(s.end(), said.Close(), errNotReady))
}

var errNotReady = errors.New("it did not become ready")

// end lets go of the keeper and waits until it has ended the server and removed its data.
func (s *server) end() error {
	if s.keeper == nil {
		return nil
	}
	return errors.Join(s.leash.Close(), s.keeper.Wait())
}

// Close ends all servers of this process, and returns when they are gone. A test that asks for one afterwards gets a new
// one.
func Close() error {
	running.Lock()
	defer running.Unlock()
	var errs []error
	for spec, s := range running.servers {
		s.once.Do(func() { s.err = errNotReady }) // waits for one that is being started
		if s.err == nil {
			errs = append(errs, s.end())
		}
		delete(running.servers, spec)
	}
	return errors.Join(errs...)
}
