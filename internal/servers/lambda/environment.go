package lambda

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// environment is an execution environment: a process that serves one invocation after the other, and what it started.
type environment struct {
	s *Server
	f *function
	d *deployment

	cmd    *exec.Cmd
	cage   cage
	out    *output
	api    *http.Server
	next   chan *invocation
	asked  chan struct{} // it has asked for its next invocation
	dead   chan struct{} // its processes are gone
	exited chan struct{} // all of it is gone, and what it has said was heard
	died   string        // how; valid once exited, as the next two
	used   int64         // bytes of memory, at most
	memory bool          // it died of want of memory

	mu        sync.Mutex
	killed    bool
	current   *invocation
	initError *failure
}

// cage holds the processes of an environment.
type cage interface {
	freeze()
	thaw()
	kill() // ends all, frozen ones too, and waits for it
	peak() int64
	outOfMemory() bool
	remove() // the processes are gone
}

// start starts the bootstrap of a deployment.
func (s *Server) start(f *function, d *deployment) (*environment, error) {
	e := &environment{
		s: s, f: f, d: d,
		next: make(chan *invocation), asked: make(chan struct{}, 1), dead: make(chan struct{}), exited: make(chan struct{}),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	stream := time.Now().UTC().Format("2006/01/02/[$LATEST]") + strings.ReplaceAll(newID(), "-", "")
	e.cmd = exec.Command(filepath.Join(d.root, "bootstrap"))
	e.cmd.Dir, e.cmd.Stdout, e.cmd.Stderr = d.root, w, w
	e.cmd.SysProcAttr = endWithParent()
	e.cmd.Env = e.environ(l.Addr().String(), stream)
	e.cage, err = s.starter.start(e.cmd, s.jail, int64(d.config.MemorySize)<<20)
	_ = w.Close()
	if err != nil {
		_, _ = l.Close(), r.Close()
		return nil, err
	}
	e.out = newOutput(r, s.logGroup(f, d, stream))
	e.api = &http.Server{Handler: e.routes()}
	s.mu.Lock()
	f.environments[e] = true
	closed := s.closed
	s.mu.Unlock()
	s.work.Go(func() { _ = e.api.Serve(l) })
	s.work.Go(e.out.read)
	s.work.Go(e.wait)
	if closed {
		e.kill()
	}
	return e, nil
}

// environ is what a bootstrap finds in its environment.
func (e *environment) environ(api, stream string) []string {
	c, keys := &e.d.config, e.d.keys
	if e.s.options.Credentials != nil {
		keys = *e.s.options.Credentials
	}
	env := []string{
		"LANG=en_US.UTF-8", "TZ=:UTC", "PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin", "LD_LIBRARY_PATH=/lib64:/usr/lib64:" + e.d.root,
		"LAMBDA_TASK_ROOT=" + e.d.root, "LAMBDA_RUNTIME_DIR=/var/runtime", "_HANDLER=" + c.Handler,
		"AWS_LAMBDA_RUNTIME_API=" + api, "AWS_REGION=" + e.s.Region, "AWS_DEFAULT_REGION=" + e.s.Region,
		"AWS_LAMBDA_FUNCTION_NAME=" + c.FunctionName, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + itoa(c.MemorySize), "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=" + c.logGroup(), "AWS_LAMBDA_LOG_STREAM_NAME=" + stream,
		"AWS_ACCESS_KEY_ID=" + keys.AccessKey, "AWS_SECRET_ACCESS_KEY=" + keys.SecretKey,
	}
	if keys.SessionToken != "" {
		env = append(env, "AWS_SESSION_TOKEN="+keys.SessionToken)
	}
	env = append(env, e.s.options.Env...)
	if c.Environment != nil {
		for name, value := range c.Environment.Variables {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// wait sees the environment to its end: when the bootstrap has ended, all that it started ends too.
func (e *environment) wait() {
	state, err := e.cmd.Process.Wait()
	if err == nil {
		e.died = describe(state)
	}
	e.used, e.memory = e.cage.peak(), e.cage.outOfMemory()
	if usage, ok := usageOf(state); ok && e.used == 0 {
		e.used = usage
	}
	e.cage.kill()
	e.cage.remove()
	close(e.dead)
	select {
	case <-e.out.done:
	case <-time.After(time.Second): // one that has left a crowd still holds the pipe
		_ = e.out.r.Close()
		<-e.out.done
	}
	// What it sent before its end still counts. The invocation's end is the bound of that: nothing is read after it.
	_ = e.api.Shutdown(context.Background())
	e.s.mu.Lock()
	delete(e.f.environments, e)
	for i, idle := range e.f.idle {
		if idle == e {
			e.f.idle = append(e.f.idle[:i:i], e.f.idle[i+1:]...)
			break
		}
	}
	e.s.mu.Unlock()
	close(e.exited)
}

// describe words an exit as Lambda does.
func describe(state *os.ProcessState) string {
	status, ok := state.Sys().(syscall.WaitStatus)
	switch {
	case ok && status.Signaled():
		return fmt.Sprintf("Runtime exited with error: signal: %v", status.Signal())
	case state.ExitCode() == 0:
		return "Runtime exited without providing a reason"
	}
	return fmt.Sprintf("Runtime exited with error: exit status %d", state.ExitCode())
}

// kill begins the end of the environment, which exited tells of.
func (e *environment) kill() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.killed = true
	_ = e.cmd.Process.Kill() // it may have ended
	e.cage.thaw()            // a frozen process does not die
}

// doomed reports whether the environment was killed.
func (e *environment) doomed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.killed
}

// rest freezes the environment until its next invocation.
func (e *environment) rest() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.killed {
		e.cage.freeze()
	}
}

// peak is the most memory that the environment has had, in bytes.
func (e *environment) peak() int64 {
	select {
	case <-e.exited:
		return e.used
	default:
		return e.cage.peak()
	}
}

// ended says of what an invocation fails when its environment has exited.
func (e *environment) ended(v *invocation) {
	kind := "Runtime.ExitError"
	if e.memory && strings.HasSuffix(e.died, "killed") {
		kind = "Runtime.OutOfMemory"
	}
	v.fail(kind, "RequestId: %s Error: %s", v.id, e.died)
}

// timedOut ends the environment of an invocation that took too long.
func (e *environment) timedOut(v *invocation) {
	v.fail("Sandbox.Timedout", "RequestId: %s Error: Task timed out after %d.00 seconds", v.id, e.d.config.Timeout)
	e.kill()
}

// boot starts an environment for an invocation. A start that fails, or takes too long, is tried once more in the time of
// the invocation. It returns nil when the invocation has failed of it.
func (s *Server) boot(f *function, d *deployment, v *invocation) *environment {
	if why := d.entrypoint(); why != "" {
		v.fail("Runtime.InvalidEntrypoint", "RequestId: %s Error: %s", v.id, why)
		return nil
	}
	limit := s.options.InitLimit
	for attempt := range 2 {
		e, err := s.start(f, d)
		if err != nil {
			v.fail("Runtime.InvalidEntrypoint", "RequestId: %s Error: %s", v.id, strings.ReplaceAll(err.Error(), d.root, "/var/task"))
			return nil
		}
		if attempt == 1 {
			limit = time.Duration(d.config.Timeout) * time.Second
		}
		v.deadline = time.Now().Add(limit)
		asked := e.asked
		var slow <-chan time.Time
		if delay := s.coldStart(); delay > 0 && attempt == 0 {
			slow, asked = time.After(delay), nil
		}
	waiting:
		for {
			select {
			case <-slow:
				slow, asked = nil, e.asked
				continue
			case <-asked:
				if attempt == 0 {
					v.deadline = time.Now().Add(time.Duration(d.config.Timeout) * time.Second)
				}
				return e
			case <-e.exited:
				if attempt == 1 {
					e.initFailed(v)
				}
				break waiting
			case <-time.After(time.Until(v.deadline)):
				if attempt == 1 {
					e.timedOut(v)
				}
				break waiting
			case <-s.stop:
				v.fail("ServiceException", "the stand-in has ended")
				break waiting
			}
		}
		e.end()
		select {
		case <-v.over:
			v.report = e.out.take()
			return nil
		default:
		}
	}
	return nil
}

// initFailed fails an invocation with what the bootstrap said of its start, or with its exit.
func (e *environment) initFailed(v *invocation) {
	e.mu.Lock()
	said := e.initError
	e.mu.Unlock()
	if said != nil {
		v.end(said)
	}
	e.ended(v)
}

// end ends the environment, and returns when it is gone.
func (e *environment) end() {
	e.kill()
	<-e.exited
}
