//go:build (linux || darwin) && (amd64 || arm64)

package serialize_test

import (
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/gowren/gowren/serialize"
)

// TestTooLong is that what msgpack has no length for is refused, before it is copied: the memory is never touched.
func TestTooLong(t *testing.T) {
	t.Parallel()
	huge, err := syscall.Mmap(-1, 0, 1<<32, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE)
	if err != nil {
		t.Skip("no 4 GiB of addresses:", err)
	}
	defer func() {
		if err := syscall.Munmap(huge); err != nil {
			t.Error(err)
		}
	}()
	word := unsafe.String(unsafe.SliceData(huge), len(huge))
	for _, x := range []any{&word, &[]string{word}, &map[string]string{"k": word}, &huge, &[][]byte{huge}} {
		if _, err := serialize.Marshal(x); err == nil || !strings.Contains(err.Error(), "msgpack's limit") {
			t.Errorf("%T: %v", x, err)
		}
	}
}
