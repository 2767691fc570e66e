package servers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// keeperVariable makes a test binary a keeper, and tells it what to start.
const keeperVariable = "GOWREN_TEST_SERVER_KEEPER"

// readyWord begins the line in which a keeper tells the server's address. All else that it says is an error.
const readyWord = "ready at "

// patience is how long a server may take to become ready. A busy machine takes seconds.
const patience = time.Minute

// init makes this process a keeper where one is wanted. It is init, and not a word to be said in each TestMain, so that
// a package needs none.
func init() {
	spec := os.Getenv(keeperVariable)
	if spec == "" {
		return
	}
	if err := keep(spec); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// keep runs a server until the process that wants it is gone.
func keep(spec string) (err error) {
	runtime.LockOSThread() // Linux ends the server with the thread that started it: this one lasts as long as we do
	var l launch
	if err := json.Unmarshal([]byte(spec), &l); err != nil {
		return err
	}
	if err := os.Unsetenv(keeperVariable); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "gowren-servers-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	end := make(chan os.Signal, 2)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // nothing comes; it ends with whoever holds the other end
		end <- syscall.SIGHUP
	}()
	var s *kept
	for attempt := range 3 { // another process may have taken the port in the meantime
		if s, err = l.start(filepath.Join(dir, strconv.Itoa(attempt))); err != nil {
			return err
		}
		if err = s.await(kinds[l.Kind], end); err == nil || errors.Is(err, errEnded) {
			break
		}
	}
	if err != nil {
		return err
	}
	fmt.Println(readyWord + s.addr)
	select {
	case <-end:
	case <-s.exited:
	}
	s.kill()
	return nil
}

// kept is a server, as its keeper sees it.
type kept struct {
	addr, log string
	cmd       *exec.Cmd
	exited    chan struct{}
	state     error // of the exit; valid once exited
}

// start starts the server with its data and its log below dir.
func (l launch) start(dir string) (*kept, error) {
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	addr, err := freePort()
	if err != nil {
		return nil, err
	}
	args, env, err := kinds[l.Kind].command(l, addr, data)
	if err != nil {
		return nil, err
	}
	s := &kept{addr: addr, log: filepath.Join(dir, "log"), exited: make(chan struct{})}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	s.cmd = exec.Command(l.Program[0], append(l.Program[1:], args...)...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = data, log, log
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.SysProcAttr = endWithParent()
	if err := errors.Join(s.cmd.Start(), log.Close()); err != nil {
		return nil, err
	}
	go func() {
		s.state = s.cmd.Wait()
		close(s.exited)
	}()
	return s, nil
}

// freePort returns an address on which nobody listens now.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// errEnded reports that the server is not wanted any more.
var errEnded = errors.New("the test process has ended")

// await returns nil when the server answers as it should. Otherwise the server is gone when await returns.
func (s *kept) await(k kind, end <-chan os.Signal) error {
	for deadline := time.Now().Add(patience); ; {
		answer := ask(s.addr, k.ask)
		select {
		case <-end:
			s.kill()
			return errEnded
		case <-s.exited:
			// Even if there was an answer: it was another's, whose port this is.
			return fmt.Errorf("%s ended: %w\n%s", k.program, errors.Join(s.state, errNotReady), s.lastWords())
		case <-time.After(20 * time.Millisecond):
		}
		if k.ready.MatchString(answer) {
			return nil
		}
		if time.Now().After(deadline) {
			s.kill()
			return fmt.Errorf("%s does not answer as it should after %v, but with %q\n%s", k.program, patience, answer, s.lastWords())
		}
	}
}

// ask returns the beginning of the answer to a request, or "".
func ask(addr, request string) string {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return ""
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return ""
	}
	if _, err := io.WriteString(conn, request); err != nil {
		return ""
	}
	answer := make([]byte, 64)
	n, _ := conn.Read(answer)
	return string(answer[:n])
}

// kill ends the server and what it started, and returns when it is gone.
func (s *kept) kill() {
	select {
	case <-s.exited:
		return
	default:
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // it may just have ended
		<-s.exited
	}
}

// lastWords are the end of the server's log.
func (s *kept) lastWords() string {
	log, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return strings.ToValidUTF8(string(log[max(0, len(log)-4000):]), "?")
}
