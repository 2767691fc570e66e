package backendtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
)

// outputCases: what tasks print and log reaches the driver with a label, and disturbs nothing.
var outputCases = []testCase{
	{name: "output/printed", isolates: true, run: func(t *testing.T, h *harness) {
		inputs := make([]order, 6)
		for i := range inputs {
			inputs[i] = order{What: "print", N: i}
		}
		got, err := mapper.Map(t.Context(), h.executor(t, mapper.Options{BatchSize: 2}), do, inputs)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range got {
			if a.N != i {
				t.Errorf("result %d is %d", i, a.N)
			}
		}
		if err := h.ex.Close(); err != nil { // then all was read
			t.Error(err)
		}
		text := h.log.String()
		for i := range inputs {
			for _, s := range []string{fmt.Sprintf("] out %d\n", i), fmt.Sprintf("] err %d\n", i)} {
				if !strings.Contains(text, s) {
					t.Errorf("the log lacks %q", s)
				}
			}
		}
		if n := strings.Count(text, "x"); n < 6<<20 {
			t.Errorf("of %d bytes in long lines the log has %d", 6<<20, n)
		}
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "[") {
				t.Fatalf("the line %.60q has no label", line)
			}
		}
	}},
	{name: "output/logged", isolates: true, run: func(t *testing.T, h *harness) {
		inputs := make([]order, 20)
		for i := range inputs {
			inputs[i] = order{What: "log", N: i}
		}
		if _, err := mapper.Map(t.Context(), h.executor(t, mapper.Options{BatchSize: 5}), do, inputs); err != nil {
			t.Fatal(err)
		}
		// What is logged comes with the results, and so before the job's end.
		lines := slices.Collect(strings.Lines(h.log.String()))
		for i := range inputs {
			begin, end := fmt.Sprintf("[backendtest/do %d] ", i), fmt.Sprintf("n=%d\n", i)
			ok := slices.ContainsFunc(lines, func(l string) bool {
				return strings.HasPrefix(l, begin) && strings.Contains(l, "hello from a task") && strings.HasSuffix(l, end)
			})
			if !ok {
				t.Errorf("no line begins with %q and ends with %q", begin, end)
			}
		}
	}},
}
