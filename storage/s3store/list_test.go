package s3store_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestListStuck has a store say that there is more, and not where.
func TestListStuck(t *testing.T) {
	t.Parallel()
	for name, token := range map[string]string{
		"no token": "", "the same token": "<NextContinuationToken>again</NextContinuationToken>",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := fake(t, "", func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `<ListBucketResult><IsTruncated>true</IsTruncated>`+token+`</ListBucketResult>`)
			})
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			var err error
			for _, err = range b.List(ctx, "") {
			}
			told(t, err)
			if err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestListEmptyPage has pages without objects before the last one, which is none of the store's faults.
func TestListEmptyPage(t *testing.T) {
	t.Parallel()
	b := fake(t, "", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("continuation-token") {
		case "":
			_, _ = io.WriteString(w, `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>1</NextContinuationToken></ListBucketResult>`)
		case "1":
			_, _ = io.WriteString(w, `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>2</NextContinuationToken></ListBucketResult>`)
		default:
			_, _ = io.WriteString(w, `<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>`)
		}
	})
	var got []string
	for o, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Key)
	}
	if !slices.Equal(got, []string{"k"}) {
		t.Errorf("keys %q", got)
	}
}

// TestListForeignKeys has keys that this module would not write. A listing tells what is there.
func TestListForeignKeys(t *testing.T) {
	t.Parallel()
	foreign := []string{"p/", "p/%0A", "p/../x", "p//", "p//b", "p/a/", "p/a//b", "p/b"}
	for path, prefix := range map[string]string{"": "", "/p": "p/"} {
		b := fake(t, path, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `<ListBucketResult><EncodingType>url</EncodingType>`)
			for _, key := range foreign {
				if strings.HasPrefix(key, r.URL.Query().Get("prefix")) {
					_, _ = io.WriteString(w, `<Contents><Key>`+key+`</Key></Contents>`)
				}
			}
			_, _ = io.WriteString(w, `</ListBucketResult>`)
		})
		var got []string
		for o, err := range b.List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, o.Key)
		}
		if !slices.Contains(got, strings.TrimPrefix("p/a//b", prefix)) {
			t.Errorf("under %q: %q", path, got)
		}
	}
}
