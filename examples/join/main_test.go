package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowren/gowren/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

// TestProgram as it is called: the tables that it brings along, files, folders, URLs.
func TestProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"people/a.csv": "name,city\nAda,London\nBo,\"Å, i Lofoten\"\n",
		"people/b.csv": "name,city\nCy,Rome\nDi,London\n",
		"places.csv":   "town,country\nLondon,UK\n\"Å, i Lofoten\",Norway\nLondon,Canada\nParis,France\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	people, places := filepath.Join(dir, "people"), filepath.Join(dir, "places.csv")
	const full = "name,city,country\nAda,London,UK\nDi,London,UK\nAda,London,Canada\nDi,London,Canada\n,Paris,France\nCy,Rome,\nBo,\"Å, i Lofoten\",Norway\n"
	without := func(lines ...string) string {
		s := full
		for _, l := range lines {
			s = strings.Replace(s, l+"\n", "", 1)
		}
		return s
	}
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"inner", without("Cy,Rome,", ",Paris,France"), []string{"-on", "city=town", people, places}},
		{"left", without(",Paris,France"), []string{"-kind", "left", "-on", "city=town", "file://" + people, places}},
		{"full", full, []string{"-kind", "full", "-on", "city=town", "-split", "7", people, places}},
		{"with itself", "town,country,country\nParis,France,France\n", []string{"-on", "town", one(t), one(t)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, status := programtest.Run(t, c.args...)
			if stdout != c.want || status != 0 {
				t.Errorf("%q, want %q; exit status %d: %s", stdout, c.want, status, stderr)
			}
		})
	}
}

// one writes a table of one row.
func one(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "one.csv")
	if err := os.WriteFile(path, []byte("town,country\nParis,France\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestProgramStates joins what the program brings along.
func TestProgramStates(t *testing.T) {
	t.Parallel()
	for kind, lines := range map[string]int{"inner": 1 + 50, "left": 1 + 54, "full": 1 + 56} {
		stdout, stderr, status := programtest.Run(t, "-kind", kind)
		if strings.Count(stdout, "\n") != lines || status != 0 {
			t.Errorf("%s: %q; exit status %d: %s", kind, stdout, status, stderr)
		}
		for line, want := range map[string]bool{
			"usps,name,capital,admitted,population,seats": true,
			"VT,Vermont,Montpelier,1791,643077,1":         true,
			"GU,Guam,Hagåtña,,,":                          kind != "inner",
			"PR,,,,3285874,0":                             kind == "full",
		} {
			if strings.Contains("\n"+stdout, "\n"+line+"\n") != want {
				t.Errorf("%s: %q is there or not: %q", kind, line, stdout)
			}
		}
	}
}

// TestProgramFails: what is wrong is named, nothing is printed, and the exit status tells.
func TestProgramFails(t *testing.T) {
	t.Parallel()
	good, empty, torn := one(t), filepath.Join(t.TempDir(), "empty.csv"), filepath.Join(t.TempDir(), "torn.csv")
	for path, text := range map[string]string{empty: "", torn: "town,country\nParis\n"} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, word string
		args       []string
	}{
		{"missing", "missing.csv", []string{"-on", "town", good, filepath.Join(t.TempDir(), "missing.csv")}},
		{"one table", "two tables", []string{"-on", "town", good}},
		{"unknown kind", `"outer"`, []string{"-kind", "outer"}},
		{"unknown column", `no column "village"`, []string{"-on", "town=village", good, good}},
		{"empty", "empty.csv is empty", []string{"-on", "town", good, empty}},
		{"torn row", "torn.csv", []string{"-on", "town", good, torn}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, status := programtest.Run(t, c.args...)
			if status != 1 || stdout != "" || !strings.Contains(stderr, c.word) {
				t.Errorf("%q, exit status %d: %s", stdout, status, stderr)
			}
		})
	}
}

// TestUnread: a program whose output nobody reads tells so.
func TestUnread(t *testing.T) {
	t.Parallel()
	if stderr, status, _ := programtest.Unread(t); status != 1 || !strings.Contains(stderr, "broken pipe") {
		t.Errorf("exit status %d, %s", status, stderr)
	}
}
