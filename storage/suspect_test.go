package storage_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// TestSuspectPacked: what is wrong with a line of a packed object is told apart from what is wrong with the packing.
func TestSuspectPacked(t *testing.T) {
	t.Parallel()
	var whole bytes.Buffer
	w := gzip.NewWriter(&whole)
	if _, err := w.Write([]byte("good\nbad\n" + eights(1000))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	torn := bytes.Clone(whole.Bytes())
	torn[len(torn)-6] ^= 1 // of the checksum
	for name, c := range map[string]struct {
		data  []byte
		fails bool
	}{"whole": {whole.Bytes(), false}, "torn": {torn, true}, "short": {whole.Bytes()[:whole.Len()-9], true}} {
		b := memstore.New()
		t.Cleanup(func() { memstore.Delete(b.Name()) })
		if err := b.Put(t.Context(), "k", bytes.NewReader(c.data)); err != nil {
			t.Fatal(err)
		}
		s := storage.Split{URL: b.URL(), Key: "k", Len: int64(len(c.data)), Size: int64(len(c.data)), Compression: "gzip"}
		told := 0
		for l, err := range storage.LinesAt(t.Context(), s) {
			if err != nil {
				if !c.fails || !strings.Contains(err.Error(), "as unpacked from gzip: ") || strings.Contains(err.Error(), "in what was") {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
			if string(l.Text) != "bad" {
				continue
			}
			err := l.Errorf("it is bad")
			told++
			if !strings.HasSuffix(err.Error(), `"k" in `+b.URL()+`: line 2: it is bad (in what was unpacked from gzip)`) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if told != 1 {
			t.Errorf("%s: %d lines are bad", name, told)
		}
	}
}
