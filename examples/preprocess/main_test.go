package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowren/gowren/examples/internal/programtest"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/mlops/dataset/real"
	"github.com/gowren/gowren/mlops/dataset/synth"
	"github.com/gowren/gowren/mlops/preprocess"
	"github.com/gowren/gowren/storage/filestore"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

// TestProgram goes through the data that the program brings along, and prints what is in them.
func TestProgram(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "page.html")
	stdout, stderr, status := programtest.Run(t, "-report", page)
	for _, want := range []string{"bill_length_mm", "39.225", "Adelie (152)", "species            string, label", "344 rows of 12 numbers (dense)", "\nnumbers of a row: island 4, bill_length_mm 1, ", "\nreport: " + page + "\n", "shards, removed at the end", " in 1 shard\n", "read back, shuffled: 344 rows in 3 minibatches of 128"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("it does not print %q: %s%s", want, stdout, stderr)
		}
	}
	if strings.Contains(stdout, "://") {
		t.Errorf("it prints where shards were that it has removed: %s", stdout)
	}
	if html, err := os.ReadFile(page); status != 0 || err != nil || !bytes.Contains(html, []byte("<title>penguins</title>")) {
		t.Errorf("exit status %d, %v, %.300q", status, err, html)
	}
}

// TestTables: each form of input, and what is kept beside the shards.
func TestTables(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	made := func(name string, table synth.Table) string {
		var b bytes.Buffer
		if err := synth.Write(&b, table, 0, 2000); err != nil {
			t.Fatal(err)
		}
		return write(name, b.Bytes())
	}
	cancer := write("cancer.csv", real.BreastCancer().CSV)
	for i, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-label", "diagnosis", "-numbers", "minmax", "-split", "20000", cancer}, "569 rows of 30 numbers (dense)"},
		{[]string{"-label", "diagnosis", "-numbers", "quantile", "-missing", "mean", cancer}, "569 rows of 30 numbers (dense)"},
		{[]string{"-label", "digit", "-numbers", "none", write("digits.csv", real.Digits().CSV)}, "1797 rows of 64 numbers (dense)"},
		{[]string{"-format", "criteo", "-strings", "hash", "-bits", "12", made("criteo.tsv", synth.NewCriteo(1))}, "2000 rows of 4109 numbers (sparse"},
		{[]string{"-format", "libsvm", "-numbers", "maxabs", made("rcv1.svm", synth.NewRCV1(1))}, "2000 rows of"},
		{[]string{"-format", "jsonl", "-label", "y", "-strings", "ordinal", write("rows.jsonl", []byte("{\"y\":1,\"a\":2.5,\"s\":\"x\"}\n{\"y\":0,\"a\":null,\"s\":\"z\"}\n"))}, "2 rows of 2 numbers (dense)"},
		{[]string{"-label", "a", "-ignore", "b,c", write("ignored.csv", []byte("a,b,c,d\n1,2,x,3\n2,1e999,q\"q,4\n"))}, "2 rows of 1 number (dense)"},
		{[]string{"-label", "a", "-ignore", "b,\"c, d\"", write("comma.csv", []byte("a,b,\"c, d\",e\n1,2,x,3\n2,1e999,y,4\n"))}, "2 rows of 1 number (dense)"},
		{[]string{"-label", "a", "-ignore", "b,c", filepath.Join(dir, "ignored*.c?v")}, "2 rows of 1 number (dense)"},
		{[]string{"-comma", `\t`, write("tabs.csv", []byte("a\tb\n1\t2\n"))}, "1 row of 2 numbers (dense)"},
		{[]string{"-comma", ",", write("one.csv", []byte("a;b\n1\n2\n"))}, "2 rows of 1 number (dense)"},
		{[]string{"-skip", "-label", "b", write("bad.csv", []byte("a,b\n1,2\n3\n5,6\n"))}, "left out for fields: 1"},
	} {
		to := filepath.Join(dir, fmt.Sprint("out", i))
		stdout, stderr, status := programtest.Run(t, append([]string{"-to", to}, c.args...)...)
		if status != 0 || !strings.Contains(stdout, c.want) {
			t.Errorf("%q: exit status %d, not %q: %s%s", c.args, status, c.want, stdout, stderr)
			continue
		}
		set, err := dataset.Open(t.Context(), filestore.URL(to))
		if err != nil {
			t.Error(err)
			continue
		}
		fitted, err := preprocess.Open(t.Context(), filestore.URL(to))
		if err != nil || fitted.Out().Hash() != set.Schema().Hash() {
			t.Errorf("%q: what was fitted does not make the rows: %v", c.args, err)
		}
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestFlags: what flags do with columns, rows and values, and what is noted where they may be needed.
func TestFlags(t *testing.T) {
	t.Parallel()
	late := "a,b\n" + strings.Repeat("1,2\n", dataset.InferRows) + strings.Repeat("old,2\n", 1+dataset.InferRows)
	for _, c := range []struct {
		table string
		args  []string
		want  []string
	}{
		{"1,x\n2,z\n", []string{"-no-header"}, []string{"\nc2", "2 rows of 4 numbers"}},
		{"a,b\n1,2\n3,4\n", []string{"-text", "a"}, []string{"a       string", "2 rows of 4 numbers"}},
		{late, []string{"-text", "a"}, []string{"2001 rows of 4 numbers", "old (1001)"}},
		{late, []string{"-skip"}, []string{"more rows are left out (1001) than there are left (1000)"}},
		{"a,b\n1,2\n3,\n5,6\n", []string{"-skip", "-label", "b"}, []string{"left out without a label: 1 row\n", ": 2 rows of 1 number"}},
		{"a,b\n1,2\n1e999,3\n", []string{"-infinite", "missing"}, []string{"2 rows of 2 numbers"}},
		{"a,b\n1,2\n-,3\n,4\n", []string{"-na", "-"}, []string{"a       number      1        2", "3 rows of 2 numbers"}},
		{"a,b\n1,2\n-,3\n7,4\n", nil, []string{`note: column "a" is of strings`}},
		{"1,2\n3,4\n", nil, []string{"note: all columns are named by numbers"}},
	} {
		path := filepath.Join(t.TempDir(), "table.csv")
		if err := os.WriteFile(path, []byte(c.table), 0o600); err != nil {
			t.Fatal(err)
		}
		stdout, stderr, status := programtest.Run(t, append(c.args, path)...)
		for _, want := range c.want {
			if status != 0 || !strings.Contains(stdout, want) {
				t.Errorf("%.40q %q: exit status %d, not %q: %s%s", c.table, c.args, status, want, stdout, stderr)
			}
		}
	}
}

// TestFashion goes through 10,000 images, where Debian's package dataset-fashion-mnist is installed.
func TestFashion(t *testing.T) {
	t.Parallel()
	const images = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"
	if _, err := os.Stat(images); err != nil {
		t.Skipf("the images are needed: apt-get install dataset-fashion-mnist: %v", err)
	}
	stdout, stderr, status := programtest.Run(t, "-format", "idx", "-numbers", "maxabs", images, strings.Replace(images, "images-idx3", "labels-idx1", 1))
	if status != 0 || !strings.Contains(stdout, "10000 rows of 784 numbers (dense)") {
		t.Errorf("exit status %d, %s%s", status, stdout, stderr)
	}
}

// TestProgramFails: what is wrong is named, and the exit status tells.
func TestProgramFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.csv")
	if err := os.WriteFile(bad, []byte("a,b\n1,2\n3,4,5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "to")
	if _, stderr, status := programtest.Run(t, "-to", to); status != 0 {
		t.Fatal(stderr)
	}
	semicolons := filepath.Join(dir, "semicolons.csv")
	if err := os.WriteFile(semicolons, []byte("a;b\n1;2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	quoted := filepath.Join(dir, "quoted.csv")
	if err := os.WriteFile(quoted, []byte("a;\"b, c\";d\n1;2;x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	numbers := filepath.Join(dir, "numbers.csv")
	if err := os.WriteFile(numbers, []byte("a,b\n1,2\n3,4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(dir, "page.html")
	for want, args := range map[string][]string{
		`"never" is nothing that -missing knows: mean, median, none, zero`: {"-missing", "never", "-report", page},
		`"letters" is nothing that -strings knows`:                         {"-strings", "letters", bad},
		"holds a dataset":             {"-to", to},
		"-bits is for -strings hash":  {"-bits", "9", bad},
		"-comma is for -format csv":   {"-comma", ";", "-format", "jsonl", bad},
		"-most -1: it is 0 for all":   {"-most", "-1", bad},
		"-bits 31: it is 1 to 30":     {"-bits", "31", "-strings", "hash", bad},
		"both name the column \"a\"":  {"-label", "a", "-ignore", "b,a", bad},
		"with -comma ';' there are 3": {quoted},
		"no driver for nowhere://":    {"-to", "nowhere://x", "-report", page},
		`"-label" comes after a file`: {bad, "-label", "a"},
		`no file matches`:             {filepath.Join(dir, "*.parquet")},
		`with -comma, as -comma ';'`:  {semicolons},
		"is a directory":              {"-report", dir},
		"is there, and is no page":    {"-report", semicolons, bad},
		"no column is left":           {"-label", "a", "-ignore", "b", numbers},
		"-text is for -format csv":    {"-text", "a", "-format", "jsonl", bad},
		"-text: ":                     {"-text", "z", numbers},
		"is no policy":                {"-infinite", "most", numbers},
		`no column "height"`:          {"-label", "height"},
		`"fast" is nothing`:           {"-numbers", "fast"},
		"bad.csv":                     {bad},
		"nothing-is-here":             {filepath.Join(dir, "nothing-is-here")},
		`"parquet"`:                   {"-format", "parquet", bad},
		"no such file or dire":        {"-report", filepath.Join(dir, "no", "folder.html")},
	} {
		stdout, stderr, status := programtest.Run(t, args...)
		if status != 1 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit status %d, and not %q: %s%s", args, status, want, stdout, stderr)
		}
	}
	for want, table := range map[string]string{
		"there are no rows":                            "a,b\n",
		`in 1 row column "b" has no value: -skip`:      "a,b\n1,2\n3,\n",
		`column "b" has no value at all`:               "a,b\n1,\n3,\n",
		`it has no name: invalid argument: -no-header`: ",b\n1,2\n",
		`: -no-header is for`:                          "1,1\n1,2\n",
		`: -text '"a, ""z"""' reads the column`:        "\"a, \"\"z\"\"\",b\n" + strings.Repeat("1,2\n", dataset.InferRows) + "old,2\n",
		`: -infinite missing or`:                       "a,b\n1,2\n1e999,3\n",
		`: -skip leaves such rows out`:                 "a,b\nUlm \"x\",2\n",
		`: -multiline takes it`:                        "a,b\n\"Ulm\nx\",2\n",
		`column "a" has no value, and so no median: `:  "a,b\n,2\n,3\n",
	} {
		path := filepath.Join(t.TempDir(), "table.csv")
		if err := os.WriteFile(path, []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
		if stdout, stderr, status := programtest.Run(t, "-label", "b", path); status != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit status %d, and not %q: %s%s", table, status, want, stdout, stderr)
		}
	}
	if _, err := os.Stat(page); err == nil {
		t.Error("a program that fails leaves an empty page")
	}
	if err := os.WriteFile(page, []byte("an older one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, status := programtest.Run(t, "-report", page, bad); status != 1 {
		t.Error("it does not fail")
	}
	if was, err := os.ReadFile(page); err != nil || string(was) != "an older one" {
		t.Errorf("a program that fails changes the page: %q, %v", was, err)
	}
}

// TestUnread: a program whose output nobody reads tells so, and removes what it has stored.
func TestUnread(t *testing.T) {
	t.Parallel()
	stderr, status, left := programtest.Unread(t, "-report", filepath.Join(t.TempDir(), "page.html"))
	if status != 1 || !strings.Contains(stderr, "broken pipe") || len(left) > 0 {
		t.Errorf("exit status %d, %s, %q is left", status, stderr, left)
	}
}
