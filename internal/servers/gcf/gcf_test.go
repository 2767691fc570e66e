package gcf

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		http.DefaultClient.CloseIdleConnections()
		os.Exit(code)
	}))
}

const parent = "/v2/projects/test-project/locations/europe-west1"

// call makes a request of the control plane and returns the status and the answer.
func call(t *testing.T, s *Server, verb, path, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), verb, s.Endpoint+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Access)
	return send(t, req)
}

func send(t *testing.T, req *http.Request) (int, map[string]any) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := map[string]any{}
	_ = json.Unmarshal(data, &answer) // a page of HTML is none
	return resp.StatusCode, answer
}

// upload puts an archive where the service wants it, and returns the place in JSON.
func uploadSource(t *testing.T, s *Server, files map[string]string) string {
	t.Helper()
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for name, text := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	_, place := call(t, s, http.MethodPost, parent+"/functions:generateUploadUrl", `{"environment":"GEN_2"}`)
	url, ok := place["uploadUrl"].(string)
	if !ok {
		t.Fatalf("no upload URL: %v", place)
	}
	for header, want := range map[string]int{"text/plain": http.StatusForbidden, "application/zip": http.StatusOK} {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPut, url, bytes.NewReader(archive.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", header)
		if code, _ := send(t, req); code != want {
			t.Errorf("an upload as %s: %d, want %d", header, code, want)
		}
	}
	source, err := json.Marshal(place["storageSource"])
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

func spec(source, more string) string {
	return `{"environment":"GEN_2","buildConfig":{"runtime":"go126","entryPoint":"Hello","source":{"storageSource":` + source + `}},` +
		`"serviceConfig":{"timeoutSeconds":60,"availableMemory":"256Mi","availableCpu":"1","serviceAccountEmail":"` + Worker + `"}` + more + `}`
}

// TestFunction deploys a function that has nothing to do with gowren, and calls it.
func TestFunction(t *testing.T) {
	s := New(t, Options{Freeze: true})
	source := uploadSource(t, s, map[string]string{
		"go.mod": "module example.com/hello\n\ngo 1.25\n",
		"hello.go": "package hello\n\nimport (\n\t\"io\"\n\t\"net/http\"\n\t\"os\"\n)\n\n" +
			"func Hello(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, os.Getenv(\"K_SERVICE\")) }\n",
	})
	code, op := call(t, s, http.MethodPost, parent+"/functions?functionId=hello-1", spec(source, ""))
	if code != http.StatusOK {
		t.Fatalf("create: %d, %v", code, op)
	}
	for deadline := time.Now().Add(2 * time.Minute); op["done"] != true; time.Sleep(20 * time.Millisecond) {
		if _, op = call(t, s, http.MethodGet, "/v2/"+op["name"].(string), ""); time.Now().After(deadline) {
			t.Fatal("the operation does not end")
		}
	}
	_, f := call(t, s, http.MethodGet, parent+"/functions/hello-1", "")
	url, _ := f["url"].(string)
	if f["state"] != "ACTIVE" || url == "" {
		t.Fatalf("the function is %v; the operation %v", f, op)
	}
	for _, c := range []struct {
		token string
		code  int
		text  string
	}{
		{"", http.StatusForbidden, "<h1>"},
		{s.Token("https://other"), http.StatusUnauthorized, "<h1>"},
		{s.ExpiredToken(url), http.StatusUnauthorized, "<h1>"},
		{s.Token(url), http.StatusOK, "hello-1"},
		{s.Token(url), http.StatusOK, "hello-1"}, // its instance was frozen
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.token != "" {
			req.Header.Set("Authorization", "Bearer "+c.token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != c.code || !strings.Contains(string(text), c.text) {
			t.Errorf("a call answers %d %q, %v; want %d", resp.StatusCode, text, err, c.code)
		}
	}
}

// TestRefusals lists requests that the service refuses.
func TestRefusals(t *testing.T) {
	s := New(t, Options{})
	source := uploadSource(t, s, map[string]string{"go.mod": "module example.com/x\n"})
	create := parent + "/functions?functionId=hello-1"
	for _, c := range []struct {
		name, verb, path, body string
		code                   int
	}{
		{"an unknown field", http.MethodPost, create, spec(source, `,"memory":1`), 400},
		{"an id that is none", http.MethodPost, parent + "/functions?functionId=Hello_1", spec(source, ""), 400},
		{"an unknown parameter", http.MethodPost, create + "&id=2", spec(source, ""), 400},
		{"a runtime that is gone", http.MethodPost, create, strings.Replace(spec(source, ""), "go126", "go122", 1), 400},
		{"a source that is not there", http.MethodPost, create, spec(`{"bucket":"b","object":"o"}`, ""), 400},
		{"too much memory", http.MethodPost, create, strings.Replace(spec(source, ""), "256Mi", "8Gi", 1), 400},
		{"too long", http.MethodPost, create, strings.Replace(spec(source, ""), `"timeoutSeconds":60`, `"timeoutSeconds":3601`, 1), 400},
		{"a reserved variable", http.MethodPost, create, strings.Replace(spec(source, ""), `"timeoutSeconds"`, `"environmentVariables":{"PORT":"1"},"timeoutSeconds"`, 1), 400},
		{"a label", http.MethodPost, create, spec(source, `,"labels":{"A":"b"}`), 400},
		{"no such account", http.MethodPost, create, strings.Replace(spec(source, ""), Worker, "none@x.iam.gserviceaccount.com", 1), 400},
		{"another region", http.MethodGet, "/v2/projects/test-project/locations/mars-1/functions", "", 403},
		{"another project", http.MethodGet, "/v2/projects/other/locations/europe-west1/functions", "", 403},
		{"no function", http.MethodGet, parent + "/functions/none", "", 404},
		{"no function to delete", http.MethodDelete, parent + "/functions/none", "", 404},
		{"no function to update", http.MethodPatch, parent + "/functions/none?updateMask=labels", "{}", 404},
		{"no operation", http.MethodGet, parent + "/operations/none", "", 404},
		{"no such method", http.MethodPut, parent + "/functions", "", 404},
	} {
		if code, answer := call(t, s, c.verb, c.path, c.body); code != c.code {
			t.Errorf("%s: %d %v, want %d", c.name, code, answer, c.code)
		}
	}
	s.Access = "another"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Endpoint+parent+"/functions", nil)
	if err != nil {
		t.Fatal(err)
	}
	if code, _ := send(t, req); code != http.StatusUnauthorized {
		t.Errorf("without a token: %d", code)
	}
}
