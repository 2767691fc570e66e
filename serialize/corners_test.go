package serialize_test

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/gowren/gowren/serialize"
)

func TestOmitEmpty(t *testing.T) {
	type inner struct {
		A int `msgpack:",omitempty"`
	}
	type all struct {
		_msgpack struct{} `msgpack:",omitempty"`
		Any      any
		P        *inner
		In       inner
		T        time.Time
		M        map[string]int
		F        float64
		N        int
	}
	var a all
	for _, x := range []all{a, {Any: 0}, {M: map[string]int{}}} {
		if data, err := serialize.Marshal(&x); err != nil || string(data) != "\x80" {
			t.Errorf("%+v became %x, %v", x, data, err)
		}
	}
	same("set", all{Any: 1, P: &inner{}, In: inner{1}, T: time.Unix(1, 0).UTC(), F: -1, N: 1})(t)
}

// TestOwnSlices is that slices and maps with methods keep nil without those methods being asked.
func TestOwnSlices(t *testing.T) {
	same("nil ip", net.IP(nil))(t)
	same("ip", net.ParseIP("::1"))(t)
	same("nil raw", msgpack.RawMessage(nil))(t)
	same("raw", struct{ R msgpack.RawMessage }{msgpack.RawMessage("\x92\x01\xa1x")})(t)
	if _, err := serialize.Marshal(struct{ R msgpack.RawMessage }{msgpack.RawMessage{}}); err == nil {
		t.Error("an empty RawMessage is sent")
	}
	same("nils in word maps", map[string]*string{"a": nil})(t)
	var words map[string]string
	if err := serialize.Unmarshal([]byte("\x81\xa1a\xc0"), &words); err != nil || words["a"] != "" {
		t.Errorf("%v, %v", words, err)
	}
}

func TestErrorValues(t *testing.T) {
	type holder struct{ Err error }
	if got := sent(t, holder{errors.New("gone")}); got.Err == nil || got.Err.Error() != "gone" {
		t.Errorf("%v", got)
	}
	if got := sent(t, holder{}); got.Err != nil {
		t.Errorf("%v", got)
	}
	_, err := serialize.Marshal(struct{ A struct{ F []failing } }{struct{ F []failing }{[]failing{{}}}})
	if !errors.Is(err, errOwn) || err.Error() != "serialize: encode struct { A struct { F []serialize_test.failing } }: field A.F: own" {
		t.Errorf("%v", err)
	}
}

type (
	Leaf   struct{ S string }
	Stem   struct{ *Leaf }
	Branch struct {
		*Leaf
		N int
	}
	twoDeep   struct{ *Stem }
	flattened struct {
		_msgpack struct{} `msgpack:",as_array"`
		Branch
		M int
	}
)

// TestEmbeddedPointers is that pointers to embedded structs come back nil or not as they were, below one another and in
// structs that are arrays, where no field can be left out.
func TestEmbeddedPointers(t *testing.T) {
	t.Parallel()
	same("two nil", twoDeep{})(t)
	same("inner nil", twoDeep{&Stem{}})(t)
	same("none nil", twoDeep{&Stem{&Leaf{"x"}}})(t)
	same("nil in an array", flattened{M: 1})(t)
	same("in an array", flattened{Branch: Branch{&Leaf{"x"}, 2}, M: 1})(t)
}

// TestCarriedEncoding is that a type which carries encoded values gets them back whole, several in one included.
func TestCarriedEncoding(t *testing.T) {
	t.Parallel()
	inner, err := serialize.Marshal(&multi{"a", 1})
	if err != nil {
		t.Fatal(err)
	}
	same("carried", struct{ R msgpack.RawMessage }{inner})(t)
	outer, err := serialize.Marshal(struct{ R msgpack.RawMessage }{inner})
	if err != nil {
		t.Fatal(err)
	}
	same("carried twice", struct{ R msgpack.RawMessage }{outer})(t)
}

// TestLongKeys have a long start in common, which must not be compared anew for each byte of it.
func TestLongKeys(t *testing.T) {
	t.Parallel()
	half := strings.Repeat("x", 1<<19)
	start := time.Now()
	same("long keys", map[string]int{half + "a" + half: 1, half + "b" + half: 2, half: 3})(t)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}
