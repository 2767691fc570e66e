package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/gowren/gowren/backends"
)

// build makes the running program anew, for another platform. It must be called where the go command finds the program's
// main package: in its module.
func build(ctx context.Context, p Platform) (*Executable, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Path == "" || info.Path == "command-line-arguments" {
		return nil, fmt.Errorf("%w: it does not say which package it was built from (go run with files; use go run with a package)", backends.ErrInvalid)
	}
	dir, err := os.MkdirTemp("", "gowren-program-")
	if err != nil {
		return nil, err
	}
	e, err := buildIn(ctx, dir, info, p)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	e.remove = func() error { return os.RemoveAll(dir) }
	return e, nil
}

func buildIn(ctx context.Context, dir string, info *debug.BuildInfo, p Platform) (*Executable, error) {
	out := filepath.Join(dir, "worker")
	cmd := exec.CommandContext(ctx, "go", buildArgs(info, out)...)
	cmd.Env = append(os.Environ(), "GOOS="+p.OS, "GOARCH="+p.Arch, "CGO_ENABLED=0")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		text := said.Bytes()[max(0, said.Len()-maxSaid):]
		return nil, fmt.Errorf("%w: go %s: %w\n%s", backends.ErrInvalid, strings.Join(cmd.Args[1:], " "), err, bytes.TrimSpace(text))
	}
	if err := fits(out, p, true); err != nil {
		return nil, err
	}
	return measure(out)
}

// maxSaid bounds what is told of a failed build.
const maxSaid = 4 << 10

// buildArgs returns the go command's arguments that make the same program: of the same package, with the same tags.
func buildArgs(info *debug.BuildInfo, out string) []string {
	pkg, test := strings.CutSuffix(info.Path, ".test")
	args := []string{"build"}
	if test {
		args = []string{"test", "-c"}
	}
	args = append(args, "-trimpath", "-buildvcs=false", "-ldflags=-s -w")
	i := slices.IndexFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-tags" })
	if i >= 0 {
		args = append(args, "-tags="+info.Settings[i].Value)
	}
	return append(args, "-o", out, pkg)
}
