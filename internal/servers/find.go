package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// find returns the program of a kind, or skips the test, or fails it where servers are required.
func find(t testing.TB, k kind) []string {
	t.Helper()
	program, err := k.find()
	if err == nil {
		return program
	}
	if os.Getenv("GOWREN_REQUIRE_SERVERS") == "1" && !k.spare {
		t.Fatalf("%s is required, and %v", k.title, err)
	}
	t.Skipf("%s is needed, and %v", k.title, err)
	return nil
}

// find looks into the folder of programs, and then where the system looks.
func (k kind) find() ([]string, error) {
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	if k.script == "" {
		if path, err := exec.LookPath(filepath.Join(dir, k.program)); err == nil {
			return []string{path}, nil
		}
	} else if script := filepath.Join(dir, filepath.FromSlash(k.script)); exists(script) {
		node, err := exec.LookPath("node")
		if err != nil {
			return nil, fmt.Errorf("%s needs Node.js: %w", k.program, err)
		}
		return []string{node, script}, nil
	}
	if path, err := exec.LookPath(k.program); err == nil {
		return []string{path}, nil
	}
	return nil, fmt.Errorf("%s is neither in %s nor in $PATH: .ci/servers installs it", k.program, dir)
}

// Lacks tells whether .ci/servers has noted that this machine cannot have a program, which is named as there. Its tests may be
// skipped even where servers are required.
func Lacks(name string) bool {
	dir, err := folder()
	if err != nil {
		return false
	}
	note, err := os.ReadFile(filepath.Join(dir, ".installed", name))
	return err == nil && strings.TrimSpace(string(note)) == "none"
}

// folder is where .ci/servers puts the programs.
func folder() (string, error) {
	if dir := os.Getenv("GOWREN_SERVERS"); dir != "" {
		return filepath.Abs(dir)
	}
	// Not os.UserCacheDir, which on macOS is another folder than the one that .ci/servers and .ci/run know.
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(home, ".cache")
	}
	return filepath.Join(cache, "gowren-ci", "servers"), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
