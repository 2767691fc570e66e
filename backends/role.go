package backends

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// Serve answers one request: it writes the reply as the work goes on. It returns an error when the reply could not be
// written whole; the worker is then of no more use and should end.
type Serve func(ctx context.Context, request []byte, reply io.Writer) error

// Worker is what a role is given.
type Worker struct {
	Serve   Serve
	Bucket  string // the URL of the workers' bucket; empty where there is none
	Program string // the SHA-256 of the running program, in hex; empty where it was not told
}

// Role is what a process does instead of the rest of main when it was started as a worker: it gets requests in its
// backend's own way, and gives each to w.Serve, or to a child. It returns when there is no more to come.
type Role func(ctx context.Context, w Worker) error

// RoleVariable is the environment variable that makes a process of the user's program a worker. Its value is a role's
// name.
const RoleVariable = "GOWREN_WORKER"

// BucketVariable is the environment variable that holds the URL of a worker's bucket.
const BucketVariable = "GOWREN_WORKER_STORAGE"

// ProgramVariable is the environment variable that holds the SHA-256 of a worker's program, in hex. Workers are told it:
// to compute it would delay their start.
const ProgramVariable = "GOWREN_WORKER_PROGRAM"

var (
	rolesMu sync.Mutex
	roles   = map[string]Role{}
)

// RegisterRole makes a role known under a name. Drivers call it when they are imported. It panics when the name is taken.
func RegisterRole(name string, role Role) {
	rolesMu.Lock()
	defer rolesMu.Unlock()
	if _, taken := roles[name]; taken || name == "" {
		panic(fmt.Sprintf("backends: the worker role %q is registered already, or empty", name))
	}
	roles[name] = role
}

// FindRole returns the role of that name.
func FindRole(name string) (Role, error) {
	rolesMu.Lock()
	defer rolesMu.Unlock()
	if role, ok := roles[name]; ok {
		return role, nil
	}
	return nil, fmt.Errorf("backends: this program has no worker role %q (%s): import the backend's package in it", name, RoleVariable)
}
