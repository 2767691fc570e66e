package azfunc

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// instance is one machine of an app: a custom handler, which serves one request at a time.
type instance struct {
	id     string
	addr   string
	cmd    *exec.Cmd
	client *http.Transport
	exited chan struct{}
	state  error // of the exit; valid once exited
	out    tail
}

// patience is how long a handler may take until it answers, as the host gives it.
const patience = 30 * time.Second

// start starts the custom handler, and waits until it answers anything at all.
func (h *host) start(ctx context.Context) (*instance, error) {
	if d := time.Duration(h.site.server.Faults.ColdStart.Load()); d > 0 {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	i := &instance{id: rand.Text(), addr: addr, client: &http.Transport{}, exited: make(chan struct{})}
	d := h.file.CustomHandler.Description
	i.cmd = exec.Command(filepath.Join(h.folder, d.DefaultExecutablePath), d.Arguments...)
	i.cmd.Dir = filepath.Join(h.folder, d.WorkingDirectory)
	i.cmd.Stdout, i.cmd.Stderr = &i.out, &i.out
	i.cmd.SysProcAttr = endWithParent()
	// Nothing of this process's own environment: the app's settings have what a worker needs.
	i.cmd.Env = append([]string{
		"PATH=/usr/bin:/bin", "HOME=/tmp", "WEBSITE_SITE_NAME=" + h.site.name, "WEBSITE_INSTANCE_ID=" + i.id,
		"FUNCTIONS_CUSTOMHANDLER_PORT=" + port, "FUNCTIONS_HTTPWORKER_PORT=" + port,
		"FUNCTIONS_CUSTOMHANDLER_WORKER_ID=" + i.id, "FUNCTIONS_HTTPWORKER_ID=" + i.id, "FUNCTIONS_APP_ROOT_PATH=" + h.folder,
	}, h.site.server.Environment()...)
	for name, value := range h.settings {
		i.cmd.Env = append(i.cmd.Env, name+"="+value)
	}
	i.cmd.Env = append(i.cmd.Env, h.site.server.options.Environment...)
	if err := startLocked(i); err != nil {
		return nil, fmt.Errorf("the custom handler does not start: %w", err)
	}
	if err := i.await(ctx); err != nil {
		i.kill()
		return nil, err
	}
	return i, nil
}

// startLocked starts the process from a thread that lasts as long as the process: the system ends it with that thread.
func startLocked(i *instance) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := i.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		i.state = i.cmd.Wait()
		close(i.exited)
	}()
	return <-started
}

// await asks until any answer comes.
func (i *instance) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+i.addr+"/", nil)
		if err != nil {
			return err
		}
		resp, err := i.client.RoundTrip(r)
		if err == nil {
			return resp.Body.Close()
		}
		select {
		case <-i.exited:
			return fmt.Errorf("the custom handler ended: %w\n%s", errors.Join(i.state, err), i.out.String())
		case <-ctx.Done():
			return fmt.Errorf("the custom handler does not answer: %w", errors.Join(ctx.Err(), err))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// gone reports whether the process has ended.
func (i *instance) gone() bool {
	select {
	case <-i.exited:
		return true
	default:
		return false
	}
}

// kill ends the handler and what it started, and returns when it is gone.
func (i *instance) kill() {
	if !i.gone() {
		_ = syscall.Kill(-i.cmd.Process.Pid, syscall.SIGKILL) // it may just have ended
	}
	<-i.exited
	i.client.CloseIdleConnections()
}

// tail keeps the end of what a process prints.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = bytes.Clone(t.text[max(0, len(t.text)-4000):])
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
