package azfunc

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
)

const publishAction = "Microsoft.Web/sites/publish/Action"

// deployment is one package that was sent.
type deployment struct {
	id     string
	status int // as in Kudu
	text   string
	left   int    // how often it is still asked for in vain
	data   []byte // until then
}

// What Kudu says of a deployment.
const (
	statusPending, statusFailed, statusSuccess = 0, 3, 4
)

// deploymentSite answers what the scm site of an app does: One Deploy, as it is for Flex Consumption.
func (a *site) deploymentSite() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/publish", a.checked(a.publish))
	mux.HandleFunc("GET /api/deployments/{id}", a.checked(a.tellDeployment))
	return mux
}

func (a *site) checked(do http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		refusal := a.server.authorized(r)
		if refusal == nil {
			refusal = a.server.allowed(publishAction, a.name)
		}
		if refusal != nil {
			http.Error(w, refusal.Message, refusal.Status) // no JSON here
			return
		}
		do(w, r)
	}
}

func (a *site) publish(w http.ResponseWriter, r *http.Request) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/zip" || r.URL.Query().Get("type") != "" {
		http.Error(w, "this plan takes application/zip, and no type", http.StatusUnsupportedMediaType)
		return
	}
	if r.URL.Query().Get("RemoteBuild") == "true" {
		http.Error(w, "there is nothing to build in a custom handler", http.StatusBadRequest)
		return
	}
	if r.ContentLength < 0 {
		http.Error(w, "the package's length is not told", http.StatusLengthRequired)
		return
	}
	data := make([]byte, min(r.ContentLength, a.server.options.MaxPackage))
	if _, err := io.ReadFull(r.Body, data); err != nil || r.ContentLength > a.server.options.MaxPackage {
		http.Error(w, "the package is too large", http.StatusRequestEntityTooLarge)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.deployments); n > 0 && a.deployments[n-1].status == statusPending {
		a.contended = true
		http.Error(w, "There is a deployment currently in progress. Please try again when it completes.", http.StatusConflict)
		return
	}
	d := &deployment{id: rand.Text(), status: statusPending, left: a.server.options.Polls, data: data}
	a.deployments = append(a.deployments, d)
	if d.left == 0 {
		a.work(d)
	}
	if strikes(&a.server.Faults.Sent) {
		panic(http.ErrAbortHandler)
	}
	reply(w, http.StatusAccepted, d.id)
}

// work does what follows a package's arrival. The app is locked.
func (a *site) work(d *deployment) {
	data := d.data
	d.data = nil
	account, container := a.server.splitContainer(a.body.Properties.FunctionAppConfig.Deployment.Storage.Value)
	if !a.server.may(a.identityOf(), account, container) {
		d.status, d.text = statusFailed, "Deployment failed. The identity has no access to the storage account: 403 AuthorizationPermissionMismatch"
		return
	}
	a.server.mu.Lock()
	waiting := a.server.options.Propagation > 0
	if waiting {
		a.server.options.Propagation--
	}
	a.server.mu.Unlock()
	if waiting {
		d.status, d.text = statusFailed, "Deployment failed. 403 AuthorizationPermissionMismatch: the role is not in force yet"
		return
	}
	folder, err := a.server.unpack(data)
	if err != nil {
		d.status, d.text = statusFailed, "Deployment failed: "+err.Error()
		return
	}
	if a.host != nil {
		a.host.end()
	}
	// Kudu says so too when the host can do nothing with the package.
	d.status = statusSuccess
	a.host, a.loading = newHost(a, folder), a.server.options.Loading
}

func (a *site) tellDeployment(w http.ResponseWriter, r *http.Request) {
	f := &a.server.Faults
	if strikes(&f.MuteLooks) {
		hang(r)
		return
	}
	if strikes(&f.Looks) {
		switch f.Looks.Load() % 3 {
		case 0:
			http.Error(w, "", http.StatusTooManyRequests)
		case 1:
			http.Error(w, "", http.StatusServiceUnavailable)
		default:
			panic(http.ErrAbortHandler)
		}
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, d := range a.deployments {
		if d.id == r.PathValue("id") {
			if d.left > 0 && (a.contended || !a.server.options.Contended) {
				if d.left--; d.left == 0 {
					a.work(d)
				}
			}
			if strikes(&f.Unknown) {
				break
			}
			reply(w, http.StatusOK, map[string]any{
				"id": d.id, "status": d.status, "status_text": d.text, "complete": d.status != statusPending, "active": d.status == statusSuccess,
			})
			return
		}
	}
	http.Error(w, "Deployment '"+r.PathValue("id")+"' not found.", http.StatusNotFound)
}

// unpack writes a package's files, once for each content, with the permissions that it gives them.
func (s *Server) unpack(data []byte) (string, error) {
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	if folder, ok := s.unpacked[hash]; ok {
		return folder, nil
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", err
	}
	folder := filepath.Join(s.root, hash)
	for _, f := range z.File {
		if !filepath.IsLocal(f.Name) || f.FileInfo().IsDir() {
			return "", fmt.Errorf("the package has %q", f.Name)
		}
		if err := unpackFile(f, filepath.Join(folder, f.Name)); err != nil {
			return "", err
		}
	}
	s.unpacked[hash] = folder
	return folder, nil
}

func unpackFile(f *zip.File, path string) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, f.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close() // the first error is the one to tell
		return err
	}
	return out.Close()
}
