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
	if err := fresh(ctx, info); err != nil {
		return nil, err
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

// fresh returns an error when the sources are not what the running program was built from: workers would run something
// else than the driver, and nobody would know. It compares the times of the main module's files with the program's.
func fresh(ctx context.Context, info *debug.BuildInfo) error {
	path, err := os.Executable()
	if err != nil {
		return err
	}
	program, err := os.Stat(path)
	if err != nil {
		return err
	}
	const files = `{{if and .Module (not .Standard)}}{{if .Module.Main}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-f", files, strings.TrimSuffix(info.Path, ".test"))
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%w: its sources are not found from this folder (go list: %w: %s)", backends.ErrInvalid, err, bytes.TrimSpace(said.Bytes()))
	}
	for file := range strings.Lines(string(out)) {
		file = strings.TrimSpace(file)
		if source, err := os.Stat(file); file != "" && err == nil && source.ModTime().After(program.ModTime()) {
			return fmt.Errorf("%w: %s was changed after the program was built: build it again", backends.ErrInvalid, file)
		}
	}
	return nil
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

// buildArgs returns the go command's arguments that make the same program: of the same package, with the same tags and linker flags.
func buildArgs(info *debug.BuildInfo, out string) []string {
	pkg, test := strings.CutSuffix(info.Path, ".test")
	args := []string{"build"}
	if test {
		args = []string{"test", "-c"}
	}
	flags := map[string]string{}
	for _, s := range info.Settings {
		flags[s.Key] = s.Value
	}
	args = append(args, "-trimpath", "-buildvcs=false", strings.TrimSpace("-ldflags=-s -w "+flags["-ldflags"]))
	if tags := flags["-tags"]; tags != "" {
		args = append(args, "-tags="+tags)
	}
	return append(args, "-o", out, pkg)
}
