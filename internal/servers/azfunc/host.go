package azfunc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// host is the Functions host of an app, for one package.
type host struct {
	site      *site
	folder    string
	loadError error // why it has no functions
	file      hostFile
	functions []function
	timeout   time.Duration
	settings  map[string]string

	mu        sync.Mutex
	changed   chan struct{} // closed, and made anew, when an instance becomes free or goes
	idle      []*instance
	instances map[*instance]bool
	starting  int
	waiting   int
	ended     bool
}

// hostFile is host.json, as far as it is known here.
type hostFile struct {
	Version         string          `json:"version"`
	FunctionTimeout string          `json:"functionTimeout"`
	Logging         json.RawMessage `json:"logging"`
	Extensions      struct {
		HTTP struct {
			RoutePrefix *string `json:"routePrefix"`
		} `json:"http"`
	} `json:"extensions"`
	CustomHandler struct {
		Description struct {
			DefaultExecutablePath string   `json:"defaultExecutablePath"`
			WorkingDirectory      string   `json:"workingDirectory"`
			Arguments             []string `json:"arguments"`
		} `json:"description"`
		EnableForwardingHTTPRequest bool `json:"enableForwardingHttpRequest"`
		EnableProxyingHTTPRequest   bool `json:"enableProxyingHttpRequest"`
	} `json:"customHandler"`
}

// function is one folder with a function.json.
type function struct {
	name     string
	Bindings []binding `json:"bindings"`
}

type binding struct {
	Type      string   `json:"type"`
	Direction string   `json:"direction"`
	Name      string   `json:"name"`
	AuthLevel string   `json:"authLevel"`
	Methods   []string `json:"methods"`
	Route     *string  `json:"route"`
}

// newHost loads a package. One that it cannot load makes a host without functions.
func newHost(a *site, folder string) *host {
	h := &host{site: a, folder: folder, changed: make(chan struct{}), instances: map[*instance]bool{}, settings: a.body.settings()}
	if h.loadError = h.load(); h.loadError != nil {
		h.functions = nil
	}
	return h
}

func (h *host) load() error {
	if h.settings["AzureWebJobsStorage"] == "" && h.settings["AzureWebJobsStorage__accountName"] == "" {
		return errors.New("the host needs AzureWebJobsStorage")
	}
	if err := h.read("host.json", &h.file); err != nil {
		return err
	}
	c := h.file.CustomHandler
	m := timePattern.FindStringSubmatch(h.file.FunctionTimeout)
	switch {
	case h.file.Version != "2.0":
		return errors.New("host.json is not of version 2.0")
	case c.Description.DefaultExecutablePath == "":
		return errors.New("host.json names no executable")
	case c.EnableForwardingHTTPRequest == c.EnableProxyingHTTPRequest:
		return errors.New("this host passes requests on by one of enableForwardingHttpRequest and enableProxyingHttpRequest")
	case m == nil:
		return errors.New("functionTimeout is not of the form hh:mm:ss")
	}
	var err error
	if h.timeout, err = time.ParseDuration(m[1] + "h" + m[2] + "m" + m[3] + "s"); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(h.folder, "*", "function.json"))
	if err != nil {
		return err
	}
	for _, path := range found {
		f := function{name: filepath.Base(filepath.Dir(path))}
		if err := h.read(filepath.Join(f.name, "function.json"), &f); err != nil {
			return err
		}
		if err := f.check(); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		h.functions = append(h.functions, f)
	}
	return nil
}

var timePattern = regexp.MustCompile(`^(\d\d):(\d\d):(\d\d)$`)

// read decodes a file of the package, which has no field that is not known here. The host reads as another user.
func (h *host) read(name string, v any) error {
	path := filepath.Join(h.folder, name)
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o004 == 0 {
		return fmt.Errorf("%s: permission denied", name)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// check holds a function to be one of HTTP, in and out.
func (f *function) check() error {
	if len(f.Bindings) != 2 || f.Bindings[0].Type != "httpTrigger" || f.Bindings[0].Direction != "in" || f.Bindings[0].Name == "" ||
		f.Bindings[1].Type != "http" || f.Bindings[1].Direction != "out" || f.Bindings[1].Name == "" {
		return errors.New("it has other bindings than httpTrigger in and http out")
	}
	in := f.Bindings[0]
	if !slices.Contains([]string{"anonymous", "function", "admin"}, in.AuthLevel) {
		return fmt.Errorf("authLevel %q", in.AuthLevel)
	}
	if in.Route != nil && (strings.HasPrefix(*in.Route, "admin") || strings.HasPrefix(*in.Route, "runtime")) {
		return fmt.Errorf("the specified route conflicts with one or more built in routes: %s", *in.Route)
	}
	return nil
}

// function returns one by its name.
func (h *host) function(name string) *function {
	for i := range h.functions {
		if strings.EqualFold(h.functions[i].name, name) {
			return &h.functions[i]
		}
	}
	return nil
}

// route returns the function for a path: fixed segments, and {name} for any one.
func (h *host) route(path string) *function {
	prefix := "api"
	if p := h.file.Extensions.HTTP.RoutePrefix; p != nil {
		prefix = *p
	}
	got := strings.Split(strings.Trim(path, "/"), "/")
	for i, f := range h.functions {
		route := f.name
		if f.Bindings[0].Route != nil {
			route = *f.Bindings[0].Route
		}
		want := strings.Split(strings.Trim(prefix+"/"+route, "/"), "/")
		if slices.EqualFunc(want, got, func(w, g string) bool {
			return strings.EqualFold(w, g) || g != "" && strings.HasPrefix(w, "{") && strings.HasSuffix(w, "}")
		}) {
			return &h.functions[i]
		}
	}
	return nil
}
