package gcf

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"

	"cloud.google.com/go/functions/apiv2/functionspb"
)

// upload is an archive of source, or the place for one.
type upload struct {
	bucket, object string
	data           []byte // nil before it has come
}

// GenerateUploadUrl implements the method of that name.
func (s *Server) GenerateUploadUrl(_ context.Context, r *functionspb.GenerateUploadUrlRequest) (*functionspb.GenerateUploadUrlResponse, error) {
	if r.GetEnvironment() == functionspb.Environment_GEN_1 {
		return nil, invalid("environment must be GEN_2")
	}
	id := rand.Text()
	u := &upload{bucket: "gcf-v2-uploads-123456789012-" + s.options.Regions[0], object: id + ".zip"}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uploads[id] = u
	return &functionspb.GenerateUploadUrlResponse{
		UploadUrl:     s.Endpoint + "/upload/" + id + "?X-Goog-Signature=" + rand.Text(),
		StorageSource: &functionspb.StorageSource{Bucket: u.bucket, Object: u.object},
	}, nil
}

// put takes the archive, as the signed URL of a bucket does.
func (s *Server) put(w http.ResponseWriter, r *http.Request) {
	refuse := func(code int, name, message string) {
		w.Header().Set("Content-Type", "application/xml; charset=UTF-8")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "<?xml version='1.0' encoding='UTF-8'?><Error><Code>"+name+"</Code><Message>"+message+"</Message></Error>")
	}
	s.mu.Lock()
	u := s.uploads[r.PathValue("id")]
	s.mu.Unlock()
	switch {
	case u == nil || r.URL.Query().Get("X-Goog-Signature") == "":
		refuse(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
	case r.Header.Get("Authorization") != "":
		refuse(http.StatusForbidden, "AccessDenied", "Access denied.")
	case r.Header.Get("Content-Type") != "application/zip":
		refuse(http.StatusForbidden, "SignatureDoesNotMatch", "The content type was signed, and is application/zip.")
	default:
		data := make([]byte, max(0, min(r.ContentLength, s.options.MaxSource)))
		if _, err := io.ReadFull(r.Body, data); err != nil {
			return // the connection has broken
		}
		if r.ContentLength < 0 || r.ContentLength > s.options.MaxSource {
			refuse(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload is larger than the maximum object size specified in your Policy Document.")
			return
		}
		s.mu.Lock()
		u.data = data
		s.mu.Unlock()
	}
}

// uploaded finds the source of a function. The caller holds mu.
func (s *Server) uploaded(f *functionspb.Function) (*upload, error) {
	source := f.GetBuildConfig().GetSource().GetStorageSource()
	for _, u := range s.uploads {
		if u.bucket == source.GetBucket() && u.object == source.GetObject() && u.data != nil {
			return u, nil
		}
	}
	return nil, invalid("The source gs://%s/%s was not found", source.GetBucket(), source.GetObject())
}
