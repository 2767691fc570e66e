package filestore_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gowren/gowren/storage/filestore"
)

// TestMain plays the part of another process where a test has started this binary for one.
func TestMain(m *testing.M) {
	if role := os.Getenv("FILESTORE_TEST_ROLE"); role != "" {
		if err := play(role, os.Getenv("FILESTORE_TEST_DIR")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func play(role, dir string) error {
	b, err := filestore.Open(dir)
	if err != nil {
		return err
	}
	defer b.Close()
	switch role {
	case "race":
		return race(b)
	case "hang":
		// Half an object, and then nothing: the parent kills this process.
		fmt.Println("ready")
		return b.Put(ctx, "victim", io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), hanging{}))
	}
	return fmt.Errorf("no role %q", role)
}

// hanging tells that it was reached, and then takes longer than any test.
type hanging struct{}

func (hanging) Read([]byte) (int, error) {
	fmt.Println("writing")
	time.Sleep(time.Hour) // select {} alone in a process is a deadlock to the runtime, which ends it
	return 0, io.EOF
}
