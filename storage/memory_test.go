package storage_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

// TestMemory reads one split of 12 MB, twelve times the buffers, with each reader, plain and packed, and weighs the heap on
// the way. It runs while no other test does.
func TestMemory(t *testing.T) {
	const records = 3 << 16
	text := quoted(records, 64)
	files := map[string][]byte{"plain": []byte(text)}
	for name, data := range packed(t, []byte(text)) {
		files[name] = data
	}
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	clear(files)
	for _, name := range []string{"plain", "gzip", "zstd"} {
		splits, err := storage.Splits(t.Context(), filestore.URL(filepath.Join(dir, name)), 1<<30)
		if err != nil || len(splits) != 1 {
			t.Fatal(splits, err)
		}
		for reader, read := range readers(t) {
			if reader == "overlaps" {
				continue // a single record
			}
			base, most, n := heap(), uint64(0), 0
			for _, err := range read(splits[0]) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n%(records/4) == records/8 {
					most = max(most, heap())
				}
			}
			// Four buffers, and where zstd is unpacked its window of 8 MiB, which it keeps twice.
			limit := uint64(2 << 20)
			if strings.HasPrefix(name, "zstd") {
				limit += 18 << 20
			}
			if used := most - min(base, most); used > limit || n < records-1 {
				t.Errorf("%s of %s: the heap grew by %d KiB, at most %d were expected; %d records", reader, name, used>>10, limit>>10, n)
			} else {
				t.Logf("%s of %s: %d KiB", reader, name, used>>10)
			}
		}
	}
}

// heap is what is in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
