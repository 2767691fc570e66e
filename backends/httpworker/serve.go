package httpworker

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/supervisor"
	"github.com/gowren/gowren/internal/wire"
)

const (
	contentType      = "application/x-gowren-frames"
	headerInvocation = "Gowren-Invocation"
	headerProgram    = "Gowren-Program"
	headerBucket     = "Gowren-Bucket"
	headerWorker     = "Gowren-Worker"
	headerHold       = "Gowren-Hold"

	beat    = 5 * time.Second // how often a silent reply says that its worker lives
	maxHold = 10 * time.Second
	// bodyTime bounds how long a request may take to come.
	bodyTime = 2 * time.Minute
	// slotWait is how long a request waits for a slot before it is turned away: a driver may know sooner than this worker
	// that another request is over.
	slotWait = 2 * time.Second
)

// ServerConfig is what a worker is told by its environment, or by the platform's own role.
type ServerConfig struct {
	Addr     string        // host:port to listen on
	Base     string        // the path that the platform puts before those of a worker, such as /api; may be empty
	Token    string        // that requests must bear
	Platform bool          // only the platform's own authentication lets a request through, and Token may be empty
	Slots    int           // invocations at once; defaults to 1
	CPUs     int           // tasks that one invocation runs at once; 0 is all
	MemoryMB int           // resident memory of a child above which it is killed; 0 is no limit
	InMemory bool          // files lie in memory: programs that are fetched are taken off MemoryMB
	Poll     time.Duration // how often an invocation looks in the bucket whether it was cancelled; 0 is never
	Limit    time.Duration // of one invocation, whose work ends then; 0 is none
	Grace    time.Duration // how long work may go on after SIGTERM; defaults to 25 seconds
	CertFile string        // of TLS; plain HTTP without
	KeyFile  string
}

// Serve serves HTTP until SIGTERM or the end of ctx. Then it takes no more work, lets what is under way come to its end
// for as long as Grace, and returns. Drivers of other platforms call it as their role.
func Serve(ctx context.Context, w backends.Worker, c ServerConfig) error {
	if c.Token == "" && !c.Platform {
		return fmt.Errorf("httpworker: this worker has no token (%s), and would run what anybody sends: set one, or %s=platform where the platform in front of it authenticates each request",
			tokenVariable, authVariable)
	}
	if c.Grace == 0 {
		c.Grace = 25 * time.Second
	}
	s := &server{config: c, worker: w, supervisor: supervisor.New(supervisor.Config{
		Name: supervisor.DefaultName("http"), Bucket: w.Bucket, Own: w.Program, Slots: c.Slots, CPUs: c.CPUs,
		Memory: int64(c.MemoryMB) << 20, InMemory: c.InMemory, Wait: slotWait, Beat: beat, Poll: c.Poll, Log: printLine,
	})}
	s.token = sha256.Sum256([]byte(c.Token))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("httpworker: %w", errors.Join(err, s.supervisor.Close()))
	}
	return s.run(ctx, listener)
}

// printLine is where the lines go that children print: the platform keeps what its workers write.
func printLine(worker, line string) { fmt.Fprintf(os.Stderr, "%s: %s\n", worker, line) }

type server struct {
	config     ServerConfig
	worker     backends.Worker
	supervisor *supervisor.Supervisor
	token      [sha256.Size]byte // its hash: comparing takes the same time for every length

	draining atomic.Bool
	calls    sync.WaitGroup
	mu       sync.Mutex // held while a call begins, or draining does
}

func (s *server) run(ctx context.Context, listener net.Listener) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	hs := &http.Server{Handler: s.routes(), ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 3 * time.Minute, Protocols: new(http.Protocols)}
	hs.Protocols.SetHTTP1(true)
	hs.Protocols.SetHTTP2(true)
	hs.Protocols.SetUnencryptedHTTP2(true) // behind a proxy that ends TLS
	served := make(chan error, 1)
	go func() {
		if s.config.CertFile != "" {
			served <- hs.ServeTLS(listener, s.config.CertFile, s.config.KeyFile)
			return
		}
		served <- hs.Serve(listener)
	}()
	select {
	case err := <-served:
		return errors.Join(err, hs.Close(), s.supervisor.Close())
	case <-ctx.Done():
	}
	s.drain()
	grace, cancel := context.WithTimeout(context.Background(), s.config.Grace)
	defer cancel()
	err := hs.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = hs.Close() // the drivers of what is left see their connections end, and try elsewhere
	}
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return errors.Join(err, s.supervisor.Close())
}

func (s *server) routes() http.Handler {
	base := strings.TrimSuffix(s.config.Base, "/")
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"/healthz", s.health)
	mux.HandleFunc("GET "+base+"/ping", s.authorized(s.ping))
	mux.HandleFunc("POST "+base+"/invoke", s.authorized(s.invoke))
	mux.HandleFunc("POST "+base+"/drain", s.authorized(s.drained))
	return mux
}

// authorized lets requests through that bear the token.
func (s *server) authorized(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.config.Token != "" {
			token, bears := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			sum := sha256.Sum256([]byte(token))
			if !bears || subtle.ConstantTimeCompare(sum[:], s.token[:]) != 1 {
				w.Header().Set("WWW-Authenticate", "Bearer")
				w.Header().Set("Connection", "close") // nothing more is read of who has no token
				http.Error(w, "the request does not bear this worker's token", http.StatusUnauthorized)
				return
			}
		}
		h(w, r)
	}
}

// health tells whether the worker takes work.
func (s *server) health(w http.ResponseWriter, _ *http.Request) {
	if s.draining.Load() {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n") // who asked has gone
}

func (s *server) ping(w http.ResponseWriter, r *http.Request) {
	if hold, err := time.ParseDuration(r.Header.Get(headerHold)); err == nil && hold > 0 {
		select {
		case <-time.After(min(hold, maxHold)):
		case <-r.Context().Done():
			return
		}
	}
	status := Status{
		Protocol: wire.Version, Worker: s.supervisor.Name(), Program: s.worker.Program, Bucket: s.worker.Bucket,
		Slots: max(s.config.Slots, 1), CPUs: max(s.config.CPUs, 1), OS: runtime.GOOS, Arch: runtime.GOARCH,
	}
	if r.Header.Get(headerLook) != "" {
		if err := s.look(r.Context()); err != nil {
			status.Problem, status.Refused = err.Error(), errors.Is(err, fs.ErrPermission)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(status) // who asked has gone
}

// begin notes that a call begins, unless the worker drains.
func (s *server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() {
		return false
	}
	s.calls.Add(1)
	return true
}

func (s *server) drain() {
	s.mu.Lock()
	s.draining.Store(true)
	s.mu.Unlock()
}

// drained answers when the worker takes no more work and has none left.
func (s *server) drained(w http.ResponseWriter, r *http.Request) {
	s.drain()
	idle := make(chan struct{})
	go func() { s.calls.Wait(); close(idle) }()
	select {
	case <-idle:
		_, _ = io.WriteString(w, "drained\n") // who asked has gone
	case <-r.Context().Done():
	}
}

func (s *server) invoke(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(headerWorker, s.supervisor.Name())
	if !s.begin() {
		http.Error(w, "this worker is about to end", http.StatusServiceUnavailable)
		return
	}
	defer s.calls.Done()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTime)) // where it is not supported, nothing is lost
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxFrame+1<<10))
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "the request's body: "+err.Error(), status)
		return
	}
	_ = control.SetReadDeadline(time.Time{})
	ctx, cancel := s.limited(r.Context())
	defer cancel()
	relay, err := s.supervisor.Begin(ctx, supervisor.Call{
		ID: r.Header.Get(headerInvocation), Program: r.Header.Get(headerProgram), Bucket: r.Header.Get(headerBucket), Body: body,
	})
	if errors.Is(err, backends.ErrThrottled) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, err.Error(), http.StatusTooManyRequests)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // some proxies hold a reply back until it is whole
	out := &flusher{w: w, control: control}
	if err != nil {
		_, _ = out.Write(wire.AppendLost(nil, supervisor.Loss(s.supervisor.Name(), err, 0))) // the driver has gone
		return
	}
	defer out.begin(headerDelay)()
	if err := relay.Pass(out); err != nil {
		panic(http.ErrAbortHandler) // nobody must take what came for a whole reply
	}
}

// limited ends an invocation's context when it may go on no longer.
func (s *server) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.config.Limit == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, s.config.Limit,
		fmt.Errorf("the invocation took %v, which is as long as one may: %w", s.config.Limit, backends.ErrTimeout))
}

// headerDelay is how long a reply waits for its first frame before its header goes out by itself, for the driver to know
// that it is served. At once would be too soon for proxies that are not done with the request when its answer begins: some
// then cut the connection (those made of Go's ReverseProxy).
const headerDelay = 100 * time.Millisecond

// flusher sends what is written at once.
type flusher struct {
	w       http.ResponseWriter
	control *http.ResponseController

	mu   sync.Mutex
	done bool
}

func (f *flusher) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.w.Write(p)
	if err == nil {
		err = f.control.Flush()
	}
	return n, err
}

// begin sends the header after a time. What it returns is called at the end of the reply.
func (f *flusher) begin(after time.Duration) (end func()) {
	timer := time.AfterFunc(after, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if !f.done {
			_ = f.control.Flush() // a driver that has gone is met at the first frame
		}
	})
	return func() {
		timer.Stop()
		f.mu.Lock()
		defer f.mu.Unlock()
		f.done = true
	}
}
