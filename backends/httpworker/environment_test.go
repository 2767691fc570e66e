package httpworker

import "testing"

// TestAddress: only who is told a port listens to all the world.
func TestAddress(t *testing.T) {
	for _, c := range []struct{ port, addr, want string }{
		{"", "", "127.0.0.1:8080"}, {"9000", "", ":9000"}, {"9000", "10.0.0.1:7", "10.0.0.1:7"},
	} {
		t.Setenv("PORT", c.port)
		t.Setenv("GOWREN_WORKER_ADDR", c.addr)
		t.Setenv("GOWREN_WORKER_TOKEN", "secret")
		got, err := fromEnvironment()
		if err != nil || got.Addr != c.want {
			t.Errorf("PORT=%q GOWREN_WORKER_ADDR=%q: %q, %v, want %q", c.port, c.addr, got.Addr, err, c.want)
		}
	}
}
