package servers

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// launch is what a keeper is told to start.
type launch struct {
	Kind         string
	Program      []string // the path, or an interpreter and a path
	Name, Secret string   // the credentials that the server is to know
	Args         []string // added to the kind's own
}

// kind is how a server of one kind is started, and asked whether it is ready.
type kind struct {
	title   string
	program string // its name
	script  string // where it is no executable: what node runs, below the folder of programs
	command func(l launch, addr, data string) (args, env []string, err error)
	ask     string // a request that needs no credentials
	ready   *regexp.Regexp
	spare   bool // its tests may be skipped even where servers are required
}

var kinds = map[string]kind{
	"s3": {
		title: "the S3 server", program: "versitygw",
		command: func(l launch, addr, data string) ([]string, []string, error) {
			// The name of neither folder may begin with that of the other.
			objects, versions := filepath.Join(data, "objects"), filepath.Join(data, "versions")
			for _, folder := range []string{objects, versions} {
				if err := os.Mkdir(folder, 0o700); err != nil {
					return nil, nil, err
				}
			}
			args := []string{"--port", addr, "--region", region, "--quiet", "--keep-alive", "posix", "--versioning-dir", versions, objects}
			return args, []string{"ROOT_ACCESS_KEY=" + l.Name, "ROOT_SECRET_KEY=" + l.Secret}, nil
		},
		ask: get("/"), ready: regexp.MustCompile(`^HTTP/1\.. 403`),
	},
	"gcs": {
		title: "the Google Cloud Storage server", program: "fake-gcs-server",
		command: func(_ launch, addr, _ string) ([]string, []string, error) {
			host, port, err := net.SplitHostPort(addr)
			return []string{
				"-scheme", "http", "-host", host, "-port", port, "-backend", "memory", "-public-host", addr,
				"-external-url", "http://" + addr, "-log-level", "error",
			}, nil, err
		},
		ask: get("/_internal/healthcheck"), ready: regexp.MustCompile(`^HTTP/1\.. 200`),
	},
	"azure": {
		title: "the Azure Blob Storage server", program: "azurite-blob",
		script: "azurite/node_modules/azurite/dist/src/blob/main.js",
		command: func(l launch, addr, _ string) ([]string, []string, error) {
			host, port, err := net.SplitHostPort(addr)
			// It refuses versions of the API that are newer than it is, and the client names the newest.
			return []string{
				"--blobHost", host, "--blobPort", port, "--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry",
			}, []string{"AZURITE_ACCOUNTS=" + l.Name + ":" + l.Secret}, err
		},
		ask: get("/"), ready: regexp.MustCompile(`^HTTP/1\.. 4`),
	},
	"moto": {
		title: "moto", program: "moto/bin/moto_server",
		command: func(_ launch, addr, _ string) ([]string, []string, error) {
			host, port, err := net.SplitHostPort(addr)
			// With a Docker of this machine it would run functions, in images that it fetches.
			return []string{"-H", host, "-p", port}, []string{"DOCKER_HOST=unix:///none"}, err
		},
		ask: get("/moto-api/"), ready: regexp.MustCompile(`^HTTP/1\.. 200`), spare: true,
	},
	"redis": {
		title: "Redis", program: "redis-server",
		command: func(l launch, addr, data string) ([]string, []string, error) {
			host, port, err := net.SplitHostPort(addr)
			args := []string{"--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", data}
			return slices.Concat(args, l.Args), nil, err
		},
		ask: "PING\r\n", ready: regexp.MustCompile(`^(\+PONG|-NOAUTH)`),
	},
}

func get(path string) string { return "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n" }
