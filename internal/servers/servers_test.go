package servers

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestServers asks each server for something, and again to see that it is the same one.
func TestServers(t *testing.T) {
	t.Parallel()
	for name, endpoint := range map[string]func(t *testing.T) string{
		"s3":    func(t *testing.T) string { return S3(t).Endpoint },
		"gcs":   func(t *testing.T) string { return GCS(t).Endpoint + "/storage/v1/b?project=p" },
		"azure": func(t *testing.T) string { return Azure(t).Endpoint + "/?comp=list" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := endpoint(t)
			if again := endpoint(t); again != url {
				t.Errorf("the second is %s, the first %s", again, url)
			}
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			r, err := client.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			want := http.StatusForbidden // without credentials
			if name == "gcs" {
				want = http.StatusOK
			}
			if r.StatusCode != want {
				t.Errorf("%s: %s, want %d", url, r.Status, want)
			}
		})
	}
}

func TestRedis(t *testing.T) {
	t.Parallel()
	open, closed := Redis(t), Redis(t, "--requirepass", "secret")
	if open == closed || Redis(t) != open || Redis(t, "--requirepass", "secret") != closed {
		t.Error("not one server for each list of arguments")
	}
	for request, want := range map[[2]string]string{
		{open.Addr, "PING\r\n"}:                  "+PONG",
		{closed.Addr, "PING\r\n"}:                "-NOAUTH",
		{closed.Addr, "AUTH secret\r\n"}:         "+OK",
		{open.Addr, "CONFIG GET save\r\n"}:       "*2\r\n$4\r\nsave\r\n$0\r\n",
		{open.Addr, "CONFIG GET appendonly\r\n"}: "*2\r\n$10\r\nappendonly\r\n$2\r\nno",
	} {
		if got := ask(request[0], request[1]); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %q, want %q", request[1], got, want)
		}
	}
}

// TestEnd kills the process that has started a server, and sees that the server and its data go.
func TestEnd(t *testing.T) {
	t.Parallel()
	for name := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			find(t, kinds[name])
			temp := t.TempDir()
			program, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program)
			cmd.Env = append(os.Environ(), holderVariable+"="+name, "TMPDIR="+temp)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Wait() //nolint:errcheck // it was killed
			line, err := bufio.NewReader(out).ReadString('\n')
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
			addr := strings.TrimSpace(line)
			if _, bad := netip.ParseAddrPort(addr); bad != nil || err != nil {
				t.Fatalf("the process says %q, %v", line, err)
			}
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
				left, err := filepath.Glob(filepath.Join(temp, "*"))
				if err != nil {
					t.Fatal(err)
				}
				conn, err := net.Dial("tcp", addr)
				if err != nil && len(left) == 0 {
					break
				}
				if err == nil {
					conn.Close()
				}
				if time.Now().After(deadline) {
					t.Fatalf("the server at %s answers, %v, and its data are %q", addr, err, left)
				}
			}
		})
	}
}

// TestNoStart has the error of a server that ends at once say what the server said.
func TestNoStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "redis-server")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho no way >&2\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := launched(launch{Kind: "redis", Program: []string{program}})
	if err == nil || !strings.Contains(err.Error(), "no way") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v does not say why", err)
	}
	_, err = launched(launch{Kind: "redis", Program: []string{filepath.Join(dir, "gone")}})
	if err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("error %v does not say why", err)
	}
}

// told is a test that remembers how it was ended.
type told struct {
	testing.TB
	said string
}

func (t *told) Helper() {}

func (t *told) Skipf(format string, args ...any) { t.say("skip: ", format, args) }

func (t *told) Fatalf(format string, args ...any) { t.say("fatal: ", format, args) }

// say keeps the first word, after which a real test goes no further.
func (t *told) say(how, format string, args []any) {
	if t.said == "" {
		t.said = how + fmt.Sprintf(format, args...)
	}
}

func TestNotInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("GOWREN_SERVERS", t.TempDir())
	for required, want := range map[string]string{"": "skip: ", "0": "skip: ", "1": "fatal: "} {
		t.Setenv("GOWREN_REQUIRE_SERVERS", required)
		for name, k := range kinds {
			test := &told{TB: t}
			find(test, k)
			want := want
			if k.spare {
				want = "skip: "
			}
			if !strings.HasPrefix(test.said, want) || !strings.Contains(test.said, ".ci/servers installs it") {
				t.Errorf("%s, required %q: %q", name, required, test.said)
			}
		}
	}
}
