package serialize_test

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/gowren/gowren/serialize"
)

type (
	promoted struct {
		time.Time
		Name string
	}
	halfway    struct{ _ int }
	wrongCode  struct{ X int }
	panicky    struct{ X int }
	selfPtr    *selfPtr
	cycleCoder struct{ next *cycleCoder }
	hiddenOnly struct{ n int } //nolint:unused // it is there to be hidden
	halves     struct {
		encoding.BinaryMarshaler
		encoding.BinaryUnmarshaler
		X int
	}
	doubleName struct {
		A int `msgpack:"x"`
		B int `msgpack:"x"`
	}
	withEmbeddedPtr struct{ *base }
)

func (halfway) EncodeMsgpack(e *msgpack.Encoder) error    { return e.EncodeInt(1) }
func (wrongCode) EncodeMsgpack(e *msgpack.Encoder) error  { return e.EncodeArrayLen(3) }
func (*wrongCode) DecodeMsgpack(d *msgpack.Decoder) error { return nil }
func (panicky) EncodeMsgpack(e *msgpack.Encoder) error    { return e.EncodeInt(1) }
func (*panicky) DecodeMsgpack(d *msgpack.Decoder) error   { panic("no") }
func (c *cycleCoder) EncodeMsgpack(e *msgpack.Encoder) error {
	if err := e.EncodeArrayLen(1); err != nil {
		return err
	}
	return e.Encode(c.next)
}
func (c *cycleCoder) DecodeMsgpack(d *msgpack.Decoder) error { return d.Skip() }

func TestEncodeErrors(t *testing.T) {
	loop := &node{Value: 1}
	loop.Next = loop
	var self selfPtr
	self = &self
	cycle := &cycleCoder{}
	cycle.next = cycle
	anyLoop := []any{nil}
	anyLoop[0] = anyLoop
	var anySelf any
	anySelf = &anySelf
	mapLoop := tree{}
	mapLoop["x"] = mapLoop
	var nilSlice []int
	twoNaNs := map[float64]int{}
	for i := range 2 {
		twoNaNs[math.NaN()] = i
	}
	long := &node{}
	for range 1100 {
		long = &node{Next: long}
	}
	for name, c := range map[string]struct {
		x    any
		want string
	}{
		"chan":              {struct{ C chan int }{}, "field C: chan int cannot be sent"},
		"func":              {func() {}, "func() cannot be sent"},
		"nested":            {struct{ A struct{ B func() } }{}, "field A.B: func() cannot be sent"},
		"uintptr":           {uintptr(1), "uintptr cannot be sent"},
		"promoted":          {promoted{}, "takes its encoding from the embedded time.Time"},
		"half":              {halfway{}, "one direction only"},
		"malformed":         {wrongCode{}, "wrote what is not msgpack"},
		"list cycle":        {loop, "nested deeper"},
		"pointer cycle":     {&self, "nested deeper"},
		"own coder cycle":   {cycle, "nested deeper"},
		"slice cycle":       {anyLoop, "nested deeper"},
		"any cycle":         {&anySelf, "nested deeper"},
		"map cycle":         {mapLoop, "nested deeper"},
		"too long a list":   {long, "wants to be a slice"},
		"no exported field": {struct{ H hiddenOnly }{}, "no exported field"},
		"mutex":             {struct{ Mu sync.Mutex }{}, "no exported field"},
		"two names":         {doubleName{}, `two fields of serialize_test.doubleName are named "x"`},
		"embedded pointer":  {withEmbeddedPtr{&base{}}, "cannot be set from outside"},
		"pointer to nil":    {struct{ P *[]int }{&nilSlice}, "cannot be told from a nil pointer"},
		"pointer keys":      {map[*int]int{}, "use what they point to"},
		"stringer":          {struct{ S fmt.Stringer }{time.Second}, "concrete type"},
		"multi in any":      {[]any{multi{}}, "cannot be told apart inside an interface"},
		"struct key in any": {map[any]int{point{}: 1}, "does not come back from an interface as a key"},
		"struct keys, any":  {[]any{map[point]int{{}: 1}}, "does not come back from an interface as a key"},
		"bytes key in any":  {map[any]int{netip.IPv6Unspecified(): 1}, "does not come back from an interface as a key"},
		"halves embedded":   {halves{}, "takes its encoding from the embedded encoding.BinaryUnmarshaler"},
		"NaN keys":          {twoNaNs, "have one encoding"},
	} {
		t.Run(name, func(t *testing.T) {
			dst := []byte("kept")
			out, err := serialize.Append(dst, c.x)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "serialize: encode ") {
				t.Fatalf("got %v, want ...%s...", err, c.want)
			}
			if string(out) != "kept" {
				t.Fatalf("dst became %q", out)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	enc := func(x any) string {
		b, err := serialize.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, c := range map[string]struct {
		data string
		v    any
		want string
	}{
		"nothing":            {"", new(int), "ends too early"},
		"trailing":           {"\x01\x01", new(int), "left over"},
		"trailing slow":      {"\x01\x01", new(int8), "left over"},
		"overflow":           {enc(300), new(int8), "300 does not fit in int8"},
		"negative":           {enc(-1), new(uint), "-1 does not fit in uint"},
		"too large":          {enc(uint64(math.MaxUint64)), new(int64), "does not fit in int64"},
		"float to int":       {enc(1.5), new(int), "1.5 does not fit in int"},
		"inexact":            {enc(1<<53 + 1), new(float64), "does not fit in float64"},
		"inexact32":          {enc(0.1), new(float32), "does not fit in float32"},
		"slice inexact":      {enc([]int{1, 300}), new([]int8), "element 1: 300 does not fit in int8"},
		"complex":            {enc(1i), new(float64), "does not fit in float64"},
		"complex64":          {enc(0.1i), new(complex64), "does not fit in complex64"},
		"string to int":      {enc("x"), new(int), "string does not fit in int"},
		"bad length":         {"\xc7\x04\x64\x0c\x00\x00\x00", new([]float64), "no whole number of float64"},
		"bad kind":           {"\xd4\x64\x20", new([]float64), "unknown kind"},
		"no kind":            {"\xc7\x00\x64", new([]float64), "unknown kind"},
		"unknown ext":        {"\xd4\x01\x00", new(any), "unknown extension 1"},
		"ext to string":      {"\xd4\x01\x00", new(string), "extension 1 does not fit"},
		"lying array":        {"\xdd\xff\xff\xff\xff", new([]string), "ends too early"},
		"lying map":          {"\xdf\xff\xff\xff\xff\x01", new(map[string]int), "ends too early"},
		"lying bytes":        {"\xc6\xff\xff\xff\xff", new([]byte), "ends too early"},
		"lying ext":          {"\xc9\xff\xff\xff\xffd\x0c", new([]float64), "ends too early"},
		"deep":               {strings.Repeat("\x91", 1001) + "\x01", new(any), "nested deeper"},
		"pointer to itself":  {"\x01", new(selfPtr), "nested deeper"},
		"array length":       {enc([]string{"a"}), new([2]string), "1 elements do not fit in [2]string"},
		"byte array length":  {enc([]byte{1}), new([2]byte), "1 bytes do not fit in [2]uint8"},
		"slice key":          {"\x81\x91\x01\x01", new(any), "cannot be the key of a map"},
		"slice key, any map": {"\x81\x91\x01\x01", new(map[any]int), "cannot be the key of a map"},
		"panic":              {"\x01", new(panicky), "panic: no"},
		"field":              {"\x81\xa1X\xa1s", new(point), "field X: string does not fit in int"},
		"unused code":        {"\xc1", new(any), "0xc1"},
		"not a pointer":      {"\x01", 1, "must be a pointer"},
		"nil pointer":        {"\x01", (*int)(nil), "must be a pointer"},
		"nil":                {"\x01", nil, "must be a pointer"},
		"time":               {"\xd4\xff\x00", new(time.Time), "is no time"},
	} {
		t.Run(name, func(t *testing.T) {
			err := serialize.Unmarshal([]byte(c.data), c.v)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "serialize: decode ") {
				t.Fatalf("got %v, want ...%s...", err, c.want)
			}
		})
	}
}

func TestErrorsLeaveZero(t *testing.T) {
	p := point{1, 2}
	if err := serialize.Unmarshal([]byte("\x82\xa1X\x05\xa1Y\xa1s"), &p); err == nil || p != (point{}) {
		t.Errorf("got %v, %v", p, err)
	}
}

var errOwn = errors.New("own")

type failing struct{ X int }

func (failing) EncodeMsgpack(*msgpack.Encoder) error  { return errOwn }
func (*failing) DecodeMsgpack(*msgpack.Decoder) error { return errOwn }

func TestErrorsUnwrap(t *testing.T) {
	_, err := serialize.Marshal([]failing{{}})
	if !errors.Is(err, errOwn) {
		t.Errorf("encode: %v", err)
	}
	if err := serialize.Unmarshal([]byte("\x01"), new(failing)); !errors.Is(err, errOwn) {
		t.Errorf("decode: %v", err)
	}
}
