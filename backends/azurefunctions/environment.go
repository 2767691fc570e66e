package azurefunctions

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/internal/program"
)

// roleName is the role of a custom handler.
const roleName = "azure"

// What a worker is told by the app's settings, and by the Functions host.
const (
	cpusVariable   = "GOWREN_WORKER_CPUS"
	memoryVariable = "GOWREN_WORKER_MEMORY"
	limitVariable  = "GOWREN_WORKER_LIMIT"
	portVariable   = "FUNCTIONS_CUSTOMHANDLER_PORT"
	rootVariable   = "FUNCTIONS_APP_ROOT_PATH"
)

// poll is how soon an invocation looks whether it was told to stop.
const poll = time.Second / 2

func init() { backends.RegisterRole(roleName, serve) }

// serve is the role: a server for the Functions host on the same machine, which has checked the key of each request.
func serve(ctx context.Context, w backends.Worker) error {
	port := os.Getenv(portVariable)
	if port == "" {
		return fmt.Errorf("azurefunctions: %s is not set: the Functions host starts workers of this role, as a custom handler", portVariable)
	}
	c := httpworker.ServerConfig{Addr: net.JoinHostPort("127.0.0.1", port), Platform: true, Slots: 1, Poll: poll}
	var err error
	for name, field := range map[string]*int{cpusVariable: &c.CPUs, memoryVariable: &c.MemoryMB} {
		if *field, err = strconv.Atoi(os.Getenv(name)); err != nil || *field < 1 {
			return fmt.Errorf("azurefunctions: the app's setting %s is %q, and not a number of at least 1", name, os.Getenv(name))
		}
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	// Nobody waits for what takes longer: the front has ended the request.
	if c.Limit, err = time.ParseDuration(os.Getenv(limitVariable)); err != nil || c.Limit <= 0 {
		return fmt.Errorf("azurefunctions: the app's setting %s is %q, and not a time such as 220s", limitVariable, os.Getenv(limitVariable))
	}
	if err := os.Unsetenv(limitVariable); err != nil {
		return err
	}
	// The hash comes with the package, so that it cannot be that of another.
	hash, err := os.ReadFile(filepath.Join(os.Getenv(rootVariable), hashFile))
	if err != nil {
		return fmt.Errorf("azurefunctions: the package: %w", err)
	}
	if w.Program = strings.TrimSpace(string(hash)); !program.ValidHash(w.Program) {
		return fmt.Errorf("azurefunctions: the package's %s holds no SHA-256", hashFile)
	}
	return httpworker.Serve(ctx, w, c)
}

// credential finds the driver's credentials in its surroundings.
func credential() (azcore.TokenCredential, error) {
	c, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fmt.Errorf("azurefunctions: find credentials: %w: %w", backends.ErrRefused, err)
	}
	return c, nil
}
