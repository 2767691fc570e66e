package endtoend

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/internal/servers/azfunc"
	"github.com/gowren/gowren/internal/servers/gcf"
	"github.com/gowren/gowren/internal/servers/lambda"
)

// onHTTP starts a worker of the program that serves HTTP, over an S3 server.
func onHTTP(t *testing.T, program string) []string {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	store, env := s3(t)
	token := rand.Text()
	cmd := exec.Command(program)
	cmd.Env = append(env, "GOWREN_WORKER=http", "GOWREN_WORKER_ADDR="+addr, "GOWREN_WORKER_STORAGE="+store, "GOWREN_WORKER_TOKEN="+token, "GOWREN_WORKER_SLOTS=2")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = dying()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // its exit tells
		if err := cmd.Wait(); err != nil {
			t.Errorf("the worker: %v", err)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	return append(env, "GOWREN_BACKEND=http://"+addr, "GOWREN_STORAGE="+store, "GOWREN_WORKER_TOKEN="+token)
}

// s3 makes a bucket, and returns its URL and the variables that open it.
func s3(t *testing.T) (store string, env []string) {
	s := servers.S3(t)
	name := "b" + strings.ToLower(rand.Text())
	makeBucket(t, s, name)
	return "s3://" + name + query("endpoint", s.Endpoint, "region", s.Region, "path-style", "true"),
		[]string{"AWS_ACCESS_KEY_ID=" + s.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s.SecretKey, "AWS_EC2_METADATA_DISABLED=true"}
}

// onAWS is a stand-in for Lambda, over an S3 server.
func onAWS(t *testing.T, _ string) []string {
	store, env := s3(t)
	s := servers.S3(t)
	keys := &lambda.Credentials{AccessKey: s.AccessKey, SecretKey: s.SecretKey}
	l := lambda.Start(t, lambda.Options{Credentials: keys, Driver: keys, Env: []string{"AWS_EC2_METADATA_DISABLED=true"}})
	for _, service := range []string{"LAMBDA", "IAM", "STS", "CLOUDWATCH_LOGS"} {
		env = append(env, "AWS_ENDPOINT_URL_"+service+"="+l.Endpoint)
	}
	return append(env, "GOWREN_STORAGE="+store, "GOWREN_BACKEND=awslambda://"+l.Region+query("memory", "1024", "arch", arch()))
}

// onGoogle is a stand-in for Cloud Functions, over a Cloud Storage server.
func onGoogle(t *testing.T, _ string) []string {
	store := servers.GCS(t)
	name := "b" + strings.ToLower(rand.Text())
	post(t, store.Endpoint+"/storage/v1/b?project=p", fmt.Sprintf(`{"name":%q}`, name))
	s := gcf.New(t, gcf.Options{Freeze: true})
	return []string{
		"GOOGLE_APPLICATION_CREDENTIALS=" + s.Credentials(t),
		"GOWREN_STORAGE=gs://" + name + query("endpoint", store.Endpoint),
		"GOWREN_BACKEND=gcpfunctions://test-project/europe-west1" + query("memory", "1024", "max", "2", "serviceaccount", gcf.Worker, "endpoint", s.Endpoint),
	}
}

// onAzure is a stand-in for Azure Functions, over a Blob Storage server.
func onAzure(t *testing.T, _ string) []string {
	store := servers.Azure(t)
	container := "c" + strings.ToLower(rand.Text())
	makeContainer(t, store, container)
	key := "AZURE_STORAGE_KEY=" + store.Key
	s := azfunc.Start(t, azfunc.Options{Accounts: []string{store.Account}, Environment: []string{key}})
	return append(s.Environment(), key,
		"GOWREN_STORAGE=az://"+store.Account+"/"+container+query("endpoint", store.Endpoint),
		"GOWREN_BACKEND=azurefunctions://00000000-0000-0000-0000-000000000001/gowren/westeurope"+query("storage", store.Account, "endpoint", s.URL))
}

func post(t *testing.T, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	do(t, req)
}

func do(t *testing.T, req *http.Request) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %s", req.Method, req.URL.Path, resp.Status)
	}
}
