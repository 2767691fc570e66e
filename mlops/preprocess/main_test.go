package preprocess

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/gowren/gowren/mapper"
)

func TestMain(m *testing.M) {
	mapper.Main() // benchmarks have workers of their own
	goleak.VerifyTestMain(m)
}
