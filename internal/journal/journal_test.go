package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func id(n int) ID { return Identity("f", "func(int) int", "", fmt.Append(nil, n), 0) }

func begin(t *testing.T, b storage.Bucket, name string) *Journal {
	t.Helper()
	j, err := Open(t.Context(), b, name, Run{Program: "program"})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func record(t *testing.T, j *Journal, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := j.Record(t.Context(), id(n), fmt.Append(nil, "result ", n)); err != nil {
			t.Fatal(err)
		}
	}
}

func end(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// holds checks that a journal has kept the results of the tasks below n, and no others.
func holds(t *testing.T, j *Journal, n int) {
	t.Helper()
	if j.Kept() != n {
		t.Errorf("%d results are kept, want %d", j.Kept(), n)
	}
	for i := range n + 3 {
		got, kept, err := j.Recall(id(i))
		if err != nil || kept != (i < n) || kept && string(got) != fmt.Sprint("result ", i) {
			t.Errorf("task %d: %q, %v, %v", i, got, kept, err)
		}
	}
}

func TestRuns(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	for run := range 4 {
		j := begin(t, b, "nightly-42")
		holds(t, j, 100*run)
		if got := j.Runs(); len(got) != run || run > 0 && got[run-1].Program != "program" {
			t.Errorf("runs %+v", got)
		}
		record(t, j, 100*run, 100*run+100)
		end(t, j)
	}
	other := begin(t, b, "nightly-4")
	holds(t, other, 0)
	record(t, other, 0, 1)
	end(t, other)
	if err := Forget(t.Context(), b, "nightly-42"); err != nil {
		t.Error(err)
	}
	if n := count(t, b, ""); n != 2 {
		t.Errorf("%d objects are left, want the two of the other name", n)
	}
	j := begin(t, b, "nightly-42")
	holds(t, j, 0)
	end(t, j)
}

func count(t *testing.T, b storage.Bucket, prefix string) int {
	t.Helper()
	n := 0
	for _, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// TestGathered: results are gathered, so that many small ones cost few objects.
func TestGathered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memstore.New()
		j := begin(t, b, "n")
		record(t, j, 0, 10_000)
		end(t, j)
		if n := count(t, b, "resume/n/1-"); n == 0 || n > 3 {
			t.Errorf("%d objects hold 10,000 results", n)
		}
		big := begin(t, b, "big")
		for n := range 10 {
			if err := big.Record(t.Context(), id(n), make([]byte, 3<<20)); err != nil {
				t.Fatal(err)
			}
		}
		end(t, big)
		if n := count(t, b, "resume/big/1-"); n < 2 {
			t.Errorf("%d objects hold 30 MB", n)
		}
		again := begin(t, b, "big")
		if got, kept, err := again.Recall(id(9)); len(got) != 3<<20 || !kept || err != nil {
			t.Errorf("%d bytes, %v, %v", len(got), kept, err)
		}
		end(t, again)
	})
}

// TestWrittenAmid: what a driver has recorded is there soon, though the driver dies without a Close.
func TestWrittenAmid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memstore.New()
		dying := begin(t, b, "n")
		record(t, dying, 0, 50)
		synctest.Wait()
		early := begin(t, b, "n")
		holds(t, early, 0)
		time.Sleep(interval)
		synctest.Wait() // the writer is woken at the same moment
		late := begin(t, b, "n")
		holds(t, late, 50)
		for _, j := range []*Journal{dying, early, late} {
			end(t, j)
		}
	})
}

// TestTogether: drivers that run under one name at once do not disturb each other.
func TestTogether(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			j, err := Open(t.Context(), b, "n", Run{})
			if err != nil {
				t.Error(err)
				return
			}
			for n := 10 * i; n < 10*i+10; n++ {
				if err := j.Record(t.Context(), id(n), fmt.Append(nil, "result ", n)); err != nil {
					t.Error(err)
				}
			}
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	j := begin(t, b, "n")
	holds(t, j, 80)
	if len(j.Runs()) != 8 {
		t.Errorf("%d runs", len(j.Runs()))
	}
	end(t, j)
}

// TestFaults: an answer that is lost loses nothing, and a store that fails is told of, and does not hang anybody.
func TestFaults(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	lost := errors.New("connection reset")
	j := begin(t, storagetest.Faults(b, storagetest.Rule{Op: "putnew", Nth: 1, After: lost}, storagetest.Rule{Op: "putnew", Nth: 2, After: lost}), "lost")
	record(t, j, 0, 5)
	end(t, j)
	again := begin(t, b, "lost")
	holds(t, again, 5)
	end(t, again)

	broken := begin(t, storagetest.Faults(b, storagetest.Rule{Op: "putnew", Key: "resume/broken/1-*/0", Before: fs.ErrPermission}), "broken")
	var err error
	for n := 0; err == nil; n++ {
		err = broken.Record(t.Context(), id(n), make([]byte, 1<<20))
	}
	if !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if err := broken.Close(); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "mem://") {
		t.Error(err)
	}
	if _, err := Open(t.Context(), storagetest.Faults(b, storagetest.Rule{Op: "get", Before: fs.ErrPermission}), "lost", Run{}); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	unclaimed := begin(t, storagetest.Faults(b, storagetest.Rule{Op: "putnew", Before: fs.ErrPermission}), "unclaimed")
	record(t, unclaimed, 0, 1)
	if err := unclaimed.Flush(t.Context()); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "run-1") {
		t.Error(err)
	}
	if err := unclaimed.Close(); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if err := Forget(t.Context(), storagetest.Faults(b, storagetest.Rule{Op: "delete", Before: fs.ErrPermission}), "lost"); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if err := again.Record(t.Context(), id(1), make([]byte, maxResult+1)); err == nil {
		t.Error("a result of any size is taken")
	}
}

// TestDamaged: an object that was changed is an error that names it, and never a result.
func TestDamaged(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	j := begin(t, b, "n")
	record(t, j, 0, 3)
	end(t, j)
	first := fmt.Sprintf("resume/n/1-%s/0", j.own.Token)
	for _, change := range []string{"", magic, "<html>", strings.Repeat("x", 100)} {
		if err := b.Put(t.Context(), first, strings.NewReader(change)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), b, "n", Run{}); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), first) {
			t.Errorf("%q: %v", change, err)
		}
	}
	for _, change := range []string{"{", "{}", `{"token": "../other"}`} {
		if err := b.Put(t.Context(), "resume/n/run-1", strings.NewReader(change)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), b, "n", Run{}); err == nil || !strings.Contains(err.Error(), "resume/n/run-1") {
			t.Error(err)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a/b", "../x", ".", "..", "a b", strings.Repeat("x", 101), "ä"} {
		if _, err := Open(t.Context(), memstore.New(), name, Run{}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
		if err := Forget(t.Context(), memstore.New(), name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestIdentity: whatever differs, the identity does.
func TestIdentity(t *testing.T) {
	t.Parallel()
	seen := map[ID]bool{}
	for _, x := range []ID{
		Identity("f", "t", "s", []byte("in"), 0), Identity("g", "t", "s", []byte("in"), 0), Identity("f", "u", "s", []byte("in"), 0),
		Identity("f", "t", "", []byte("in"), 0), Identity("f", "t", "s", []byte("i"), 0), Identity("f", "t", "s", []byte("in"), 1),
		Identity("ft", "", "s", []byte("in"), 0), Identity("f", "ts", "", []byte("in"), 0),
	} {
		if seen[x] {
			t.Errorf("%x is that of two tasks", x)
		}
		seen[x] = true
	}
	if fmt.Sprintf("%x", Identity("f", "t", "s", []byte("in"), 7)) != golden {
		t.Errorf("identities differ from those of earlier versions: %x", Identity("f", "t", "s", []byte("in"), 7))
	}
}

const golden = "f95555f00ed3d061dc2f7a3bbf1640c3"

// FuzzOpen: whatever is in an object, opening it ends, and what was sealed comes out again.
func FuzzOpen(f *testing.F) {
	f.Add(seal(nil))
	f.Add(seal(appendEntry(nil, kindResult, id(1), []byte("result"))))
	f.Add(seal([]byte("an entry that is cut")))
	f.Add(seal(appendEntry(nil, kindOver, request(0, 3).ID, nil)))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		var entries []byte
		yield := func(kind byte, id ID, data []byte) error {
			entries = appendEntry(entries, kind, id, data)
			return nil
		}
		for _, object := range [][]byte{data, seal(data)} {
			entries = nil
			if err := open(object, yield); err != nil {
				if !errors.Is(err, ErrCorrupt) {
					t.Error(err)
				}
				continue
			}
			again := entries
			entries = nil
			if err := open(seal(again), yield); err != nil || string(entries) != string(again) {
				t.Errorf("%q becomes %q: %v", again, entries, err)
			}
		}
	})
}
