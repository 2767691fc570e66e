package lambda

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestInvoke(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.create("f")
	for _, want := range []string{"1", "2", "3"} {
		if got := a.mustInvoke("f", `{"Do":"count"}`); got != want {
			t.Errorf("the environment has served %s, want %s", got, want)
		}
	}
	r, err := a.invoke(t.Context(), "f", `{"Do":"print","With":"hello"}`)
	if err != nil {
		t.Fatal(err)
	}
	tail, err := base64.StdEncoding.DecodeString(*r.LogResult)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", tail)
	for _, want := range []string{"START RequestId: ", "\nhello\n", "END RequestId: ", "Max Memory Used: "} {
		if !strings.Contains(string(tail), want) {
			t.Errorf("the tail has no %q", want)
		}
	}
	if *r.ExecutedVersion != "$LATEST" {
		t.Errorf("version %s", *r.ExecutedVersion)
	}
}
