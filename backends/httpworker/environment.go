package httpworker

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/storage"
)

// The variables that a worker, and of them the token a driver, are told by.
const (
	tokenVariable     = "GOWREN_WORKER_TOKEN"
	tokenFileVariable = "GOWREN_WORKER_TOKEN_FILE"
	authVariable      = "GOWREN_WORKER_AUTH"
	addrVariable      = "GOWREN_WORKER_ADDR"
	slotsVariable     = "GOWREN_WORKER_SLOTS"
	cpusVariable      = "GOWREN_WORKER_CPUS"
	memoryVariable    = "GOWREN_WORKER_MEMORY"
	graceVariable     = "GOWREN_WORKER_GRACE"
	certVariable      = "GOWREN_WORKER_TLS_CERT"
	keyVariable       = "GOWREN_WORKER_TLS_KEY"
	portVariable      = "PORT"
)

// RoleName is the role of a worker that serves HTTP.
const RoleName = "http"

func init() {
	backends.RegisterRole(RoleName, func(ctx context.Context, w backends.Worker) error {
		c, err := fromEnvironment()
		if err != nil {
			return err
		}
		if w.Bucket, err = canonical(ctx, w.Bucket); err != nil {
			return err
		}
		if w.Program == "" { // an image need not know its program's hash
			self, err := program.Self()
			if err != nil {
				return err
			}
			w.Program = self.Hash
		}
		fmt.Fprintf(os.Stderr, "gowren worker: serving http on %s: %d invocations at once, bucket %s\n", c.Addr, c.Slots, w.Bucket)
		return Serve(ctx, w, c)
	})
}

// canonical returns the bucket's URL as a driver writes it, and finds out whether this program has the store's driver.
func canonical(ctx context.Context, url string) (string, error) {
	if url == "" {
		return "", fmt.Errorf("httpworker: this worker has no bucket: set %s to the URL that drivers have in GOWREN_STORAGE", backends.BucketVariable)
	}
	b, err := storage.Open(ctx, url)
	if err != nil {
		return "", fmt.Errorf("httpworker: the bucket (%s): %w", backends.BucketVariable, err)
	}
	return b.URL(), b.Close()
}

// fromEnvironment reads a worker's configuration, and takes it out of the environment: what a task starts need not have
// the token.
func fromEnvironment() (ServerConfig, error) {
	c := ServerConfig{CPUs: 1, CertFile: os.Getenv(certVariable), KeyFile: os.Getenv(keyVariable)}
	var err error
	if c.Token, err = token(); err != nil {
		return c, err
	}
	switch auth := os.Getenv(authVariable); auth {
	case "", "platform":
		c.Platform = auth != ""
	default:
		return c, fmt.Errorf("httpworker: %s is %q; the only value is platform", authVariable, auth)
	}
	for name, field := range map[string]*int{slotsVariable: &c.Slots, cpusVariable: &c.CPUs, memoryVariable: &c.MemoryMB} {
		s := os.Getenv(name)
		if s == "" {
			continue
		}
		if *field, err = strconv.Atoi(s); err != nil || *field < 1 {
			return c, fmt.Errorf("httpworker: %s is %q, and not a number of at least 1", name, s)
		}
	}
	if c.Slots == 0 {
		c.Slots = max(runtime.NumCPU()/c.CPUs, 1)
	}
	if s := os.Getenv(graceVariable); s != "" {
		if c.Grace, err = time.ParseDuration(s); err != nil || c.Grace <= 0 {
			return c, fmt.Errorf("httpworker: %s is %q, and not a time such as 25s", graceVariable, s)
		}
	}
	if c.Addr = os.Getenv(addrVariable); c.Addr == "" {
		port := os.Getenv(portVariable)
		host := ""
		if port == "" { // no platform has asked for it: what is sent here is run
			host, port = "127.0.0.1", "8080"
		}
		c.Addr = net.JoinHostPort(host, port)
	}
	for _, name := range []string{tokenVariable, tokenFileVariable, authVariable, addrVariable, slotsVariable, cpusVariable, memoryVariable,
		graceVariable, certVariable, keyVariable} {
		if err := os.Unsetenv(name); err != nil {
			return c, err
		}
	}
	return c, nil
}

// token returns the token that worker and driver share.
func token() (string, error) {
	path := os.Getenv(tokenFileVariable)
	if path == "" {
		return os.Getenv(tokenVariable), nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("httpworker: the token's file (%s): %w", tokenFileVariable, err)
	}
	return strings.TrimSpace(string(data)), nil
}
