package azfunc_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gowren/gowren/internal/servers/azfunc"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(os.Exit))
}

// client makes calls, and keeps no connection.
type client struct {
	t *testing.T
	s *azfunc.Server
	http.Client
}

func newClient(t *testing.T, o azfunc.Options) *client {
	return &client{t, azfunc.Start(t, o), http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}}
}

func (c *client) call(method, url, kind string, body []byte, header ...string) (int, string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.s.Token)
	r.Header.Set("Content-Type", kind)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

const group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/gowren"

// manage makes a call of the resource manager.
func (c *client) manage(method, id, version, body string) (int, string) {
	c.t.Helper()
	return c.call(method, c.s.URL+group+"/providers/"+id+"?api-version="+version, "application/json", []byte(body))
}

const (
	planBody = `{"location":"westeurope","kind":"functionapp","sku":{"name":"FC1","tier":"FlexConsumption"},"properties":{"reserved":true}}`
	siteText = `{"location":"westeurope","kind":"functionapp,linux","identity":{"type":"SystemAssigned"},"properties":{
		"serverFarmId":"/x/serverfarms/one","httpsOnly":true,
		"siteConfig":{"appSettings":[{"name":"AzureWebJobsStorage__accountName","value":"gowrenstore"}]},
		"functionAppConfig":{
			"deployment":{"storage":{"type":"blobContainer","value":"https://gowrenstore.blob.core.windows.net/box",
				"authentication":{"type":"SystemAssignedIdentity"}}},
			"scaleAndConcurrency":{"instanceMemoryMB":2048,"maximumInstanceCount":100,"triggers":{"http":{"perInstanceConcurrency":1}}},
			"runtime":{"name":"custom","version":"1.0"}}}}`
)

// make makes an app, changed by replacing a part of its text.
func (c *client) make(old, replacement string) (int, string) {
	c.t.Helper()
	for _, put := range [][3]string{
		{"Microsoft.Web/serverfarms/one", "2024-04-01", planBody},
		{"Microsoft.Storage/storageAccounts/gowrenstore/blobServices/default/containers/box", "2023-05-01", "{}"},
	} {
		if status, text := c.manage("PUT", put[0], put[1], put[2]); status != http.StatusCreated {
			c.t.Fatalf("%s: %d %s", put[0], status, text)
		}
	}
	return c.manage("PUT", "Microsoft.Web/sites/one", "2024-04-01", strings.Replace(siteText, old, replacement, 1))
}

// TestSites holds what is refused of an app.
func TestSites(t *testing.T) {
	t.Parallel()
	for old, replacement := range map[string]string{
		`"AzureWebJobsStorage__accountName"`: `"WEBSITE_RUN_FROM_PACKAGE"`,
		`"instanceMemoryMB":2048`:            `"instanceMemoryMB":1024`,
		`"maximumInstanceCount":100`:         `"maximumInstanceCount":10`,
		`"blobContainer"`:                    `"files"`,
		`net/box`:                            `net/other`,
		`"name":"custom"`:                    `"name":"go"`,
		`"westeurope"`:                       `"atlantis"`,
		`serverfarms/one`:                    `serverfarms/two`,
		`"httpsOnly"`:                        `"httpOnly"`,
		`"SystemAssigned"`:                   `"None"`,
	} {
		if status, text := newClient(t, azfunc.Options{}).make(old, replacement); status < 400 || status >= 500 || !strings.Contains(text, `"code"`) {
			t.Errorf("%s: %d %s", replacement, status, text)
		}
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	c := newClient(t, azfunc.Options{})
	for version, want := range map[string]string{"": "MissingApiVersionParameter", "2010-01-01": "InvalidApiVersionParameter"} {
		if status, text := c.manage("GET", "Microsoft.Web/sites/one", version, ""); status != http.StatusBadRequest || !strings.Contains(text, want) {
			t.Errorf("%q: %d %s", version, status, text)
		}
	}
	if status, _ := c.call("GET", c.s.URL+group+"?api-version=2021-04-01", "", nil, "Authorization", "Bearer none"); status != http.StatusUnauthorized {
		t.Errorf("a wrong token: %d", status)
	}
}

// TestPackages sends packages whose functions the host does not find.
func TestPackages(t *testing.T) {
	t.Parallel()
	c := newClient(t, azfunc.Options{})
	status, text := c.make("", "")
	if status != http.StatusOK {
		t.Fatal(status, text)
	}
	var site struct {
		Identity   struct{ PrincipalID string }
		Properties struct{ EnabledHostNames []string }
	}
	if err := json.Unmarshal([]byte(text), &site); err != nil {
		t.Fatal(err)
	}
	publish := "http://" + site.Properties.EnabledHostNames[1] + "/api/publish"
	if status, text := c.call("POST", publish+"?type=zip", "application/zip", nil); status != http.StatusUnsupportedMediaType {
		t.Errorf("type=zip: %d %s", status, text)
	}
	role := `{"properties":{"roleDefinitionId":"/providers/Microsoft.Authorization/roleDefinitions/b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
		"principalType":"ServicePrincipal","principalId":"` + site.Identity.PrincipalID + `"}}`
	if status, text := c.manage("PUT", "Microsoft.Storage/storageAccounts/gowrenstore/providers/Microsoft.Authorization/roleAssignments/"+
		"00000000-0000-0000-0000-000000000002", "2022-04-01", role); status != http.StatusCreated {
		t.Fatal(status, text)
	}
	const host = `{"version":"2.0","functionTimeout":"00:05:00","customHandler":{"description":{"defaultExecutablePath":"x"},"enableProxyingHttpRequest":true}}`
	const function = `{"bindings":[{"type":"httpTrigger","direction":"in","name":"a","authLevel":"function"},{"type":"http","direction":"out","name":"b"}]}`
	for name, p := range map[string]struct {
		mode           os.FileMode
		host, function string
		want           int
	}{
		"whole":         {0o644, host, function, http.StatusOK},
		"no permission": {0, host, function, http.StatusNotFound},
		"wrong field":   {0o644, strings.Replace(host, "enableProxying", "enableHttpProxying", 1), function, http.StatusNotFound},
		"reserved":      {0o644, host, strings.Replace(function, `"function"}`, `"function","route":"admin/x"}`, 1), http.StatusNotFound},
	} {
		var data bytes.Buffer
		z := zip.NewWriter(&data)
		for file, text := range map[string]string{"host.json": p.host, "f/function.json": p.function} {
			h := &zip.FileHeader{Name: file}
			h.SetMode(p.mode)
			w, err := z.CreateHeader(h)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if status, text := c.call("POST", publish, "application/zip", data.Bytes()); status != http.StatusAccepted {
			t.Errorf("%s: %d %s", name, status, text)
		}
		if status, text := c.manage("POST", "Microsoft.Web/sites/one/functions/f/listKeys", "2024-04-01", ""); status != p.want {
			t.Errorf("%s: %d %s, want %d", name, status, text, p.want)
		}
	}
}
