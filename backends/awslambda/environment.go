package awslambda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/program"
)

// roleName is the role of a worker in Lambda.
const roleName = "awslambda"

func init() {
	backends.RegisterRole(roleName, func(ctx context.Context, w backends.Worker) error {
		e, err := fromEnvironment()
		if err != nil {
			return err
		}
		return serve(ctx, w, e)
	})
}

// environment is what Lambda tells a function.
type environment struct {
	api      string // host:port of the Runtime API
	memoryMB int
	name     string // of this worker
	program  string // the program's hash
	problem  error  // of the archive
}

// fromEnvironment reads what Lambda tells, and takes away what is not for the processes that tasks start.
func fromEnvironment() (environment, error) {
	e := environment{api: os.Getenv("AWS_LAMBDA_RUNTIME_API")}
	if e.api == "" {
		return e, errors.New("awslambda: there is no AWS_LAMBDA_RUNTIME_API: this role is for AWS Lambda")
	}
	stream := os.Getenv("AWS_LAMBDA_LOG_STREAM_NAME")
	e.name = "lambda-" + stream[max(0, len(stream)-8):]
	var err error
	if e.memoryMB, err = strconv.Atoi(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")); err != nil {
		e.problem = fmt.Errorf("awslambda: AWS_LAMBDA_FUNCTION_MEMORY_SIZE: %w", err)
	}
	hash, err := os.ReadFile(filepath.Join(os.Getenv("LAMBDA_TASK_ROOT"), hashFile))
	if e.program = strings.TrimSpace(string(hash)); err != nil || !program.ValidHash(e.program) {
		e.problem = errors.Join(e.problem, fmt.Errorf("awslambda: the archive's %s holds no SHA-256: %w", hashFile, err))
	}
	for _, name := range []string{"AWS_LAMBDA_RUNTIME_API", "_HANDLER"} {
		if err := os.Unsetenv(name); err != nil {
			return e, err
		}
	}
	return e, nil
}
