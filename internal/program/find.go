// Package program finds, or builds, the executable that workers run, and carries it through a bucket by its SHA-256.
package program

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/gowren/gowren/backends"
)

// Platform is what an executable must run on.
type Platform struct {
	OS, Arch string // as in GOOS and GOARCH
}

// Executable is a program in a file.
type Executable struct {
	Path string
	Hash string // SHA-256, in hex
	Size int64

	remove func() error // the file, where it was built for this
}

// Close removes the file if it was built.
func (e *Executable) Close() error {
	if e.remove == nil {
		return nil
	}
	return e.remove()
}

// Find returns the program for workers of a platform: the one at path, if that is given; else the running one, where it
// fits; else it builds the running one's main package for the platform, which takes the go command and the unchanged
// sources, and tells log, which may be nil, that it does.
func Find(ctx context.Context, path string, log func(who, line string), p Platform) (*Executable, error) {
	if path != "" {
		if err := fits(path, p, false); err != nil {
			return nil, fmt.Errorf("program: the program for workers (Config.Program or GOWREN_PROGRAM): %w", err)
		}
		return measure(path)
	}
	running, err := self()
	if err != nil {
		return nil, err
	}
	unfit := fits(running, p, true)
	if unfit == nil {
		return measure(running)
	}
	if log != nil {
		log("gowren", fmt.Sprintf("building the program for workers on %s/%s from its sources, since the running one cannot be used there (CGO_ENABLED=0 go build makes one that can)", p.OS, p.Arch))
	}
	built, err := build(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("program: the running program cannot be a worker on %s/%s (%w), and %w; "+
			"run one that was built by CGO_ENABLED=0 go build, or, where workers are other machines than this, name one for them "+
			"by GOWREN_PROGRAM (CGO_ENABLED=0 GOOS=%s GOARCH=%s go build)", p.OS, p.Arch, unfit, err, p.OS, p.Arch)
	}
	return built, nil
}

// Self is the running program.
func Self() (*Executable, error) {
	path, err := self()
	if err != nil {
		return nil, err
	}
	return measure(path)
}

func self() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil // also after its file was replaced
	}
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("program: find the running executable; name one by GOWREN_PROGRAM: %w", err)
	}
	return path, nil
}

// measure hashes a file.
func measure(path string) (*Executable, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("program: %w: %w", backends.ErrInvalid, err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return nil, fmt.Errorf("program: read %s: %w", path, err)
	}
	return &Executable{Path: path, Hash: hex.EncodeToString(h.Sum(nil)), Size: n}, nil
}

// machines are the names of processors in executables of Linux.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// fits returns why the file at path cannot run on a platform. One that needs a dynamic linker runs only where the same
// libraries are, which is known of the machine that it was made on alone.
func fits(path string, p Platform, static bool) error {
	if p.OS != "linux" {
		if p.OS != runtime.GOOS || p.Arch != runtime.GOARCH {
			return fmt.Errorf("%w: %s cannot be checked to be for %s/%s", backends.ErrInvalid, path, p.OS, p.Arch)
		}
		return nil
	}
	f, err := elf.Open(path)
	if format := (*elf.FormatError)(nil); errors.As(err, &format) || err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %s is no executable of linux: %w", backends.ErrInvalid, path, err)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", backends.ErrInvalid, err)
	}
	defer f.Close()
	if want, ok := machines[p.Arch]; !ok || f.Machine != want {
		return fmt.Errorf("%w: %s is for the processor %v, and workers have %s", backends.ErrInvalid, path, f.Machine, p.Arch)
	}
	for _, s := range f.Progs {
		if static && s.Type == elf.PT_INTERP {
			return fmt.Errorf("%w: %s is not statically linked (CGO_ENABLED=0)", backends.ErrInvalid, path)
		}
	}
	return nil
}
