package gcsstore

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
)

// newStub starts a server that answers as a test says, for what the real one never does.
func newStub(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(answer)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}
