package mapper_test

import (
	"testing"

	"github.com/gowren/gowren/mapper"
)

func TestMain(m *testing.M) {
	mapper.Main()
	floor() // the programs that benchmarks compare with
	m.Run()
}
