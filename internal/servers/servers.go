package servers

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
)

// S3Server is an S3 server. It has no buckets; a test makes one of its own.
type S3Server struct {
	Endpoint             string // http://host:port; buckets are in the path
	AccessKey, SecretKey string
	Region               string
}

// S3 returns the S3 server of this process.
func S3(t testing.TB) S3Server {
	t.Helper()
	addr := start(t, launch{Kind: "s3", Name: secrets().name, Secret: secrets().key})
	return S3Server{"http://" + addr, secrets().name, secrets().key, region}
}

// GCSServer is a Google Cloud Storage server. It has no buckets and asks for no credentials.
type GCSServer struct {
	Endpoint string // http://host:port, without the path of the API
}

// GCS returns the Google Cloud Storage server of this process.
func GCS(t testing.TB) GCSServer {
	t.Helper()
	return GCSServer{"http://" + start(t, launch{Kind: "gcs"})}
}

// AzureServer is an Azure Blob Storage server. It has one account, without containers.
type AzureServer struct {
	Endpoint     string // http://host:port/account
	Account, Key string // the key is in base 64, as Azure gives it
}

// Azure returns the Azure Blob Storage server of this process.
func Azure(t testing.TB) AzureServer {
	t.Helper()
	s := secrets()
	key := base64.StdEncoding.EncodeToString([]byte(s.key))
	addr := start(t, launch{Kind: "azure", Name: s.name, Secret: key})
	return AzureServer{"http://" + addr + "/" + s.name, s.name, key}
}

// RedisServer is a Redis server with 16 databases.
type RedisServer struct {
	Addr string // host:port
}

// Redis returns a Redis server of this process that was started with these further arguments, such as
// "--requirepass", "secret". Each list of arguments has a server of its own.
func Redis(t testing.TB, args ...string) RedisServer {
	t.Helper()
	return RedisServer{start(t, launch{Kind: "redis", Args: args})}
}

// MotoServer is an imitation of many of AWS's interfaces, in Python, that others have written. Tests may be without it even
// where servers are required: it is large, and not to be had everywhere.
type MotoServer struct {
	Endpoint string // http://host:port
}

// Moto returns the moto server of this process.
func Moto(t testing.TB) MotoServer {
	t.Helper()
	return MotoServer{"http://" + start(t, launch{Kind: "moto"})}
}

// region is that of the S3 server.
const region = "us-east-1"

// secrets are the credentials of this process's servers. They are its own, so that a test cannot take another process's
// server for its own.
var secrets = sync.OnceValue(func() (s struct{ name, key string }) {
	s.name = "gowren" + strings.ToLower(rand.Text()[:12]) // at most 24 letters and digits, as Azure wants it
	s.key = rand.Text() + rand.Text()
	return s
})
