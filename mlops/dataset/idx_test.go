package dataset

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
)

// idxFileOf makes a file of IDX.
func idxFileOf(kind byte, dims []uint32, data []byte) string {
	b := []byte{0, 0, kind, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return string(append(b, data...))
}

func TestIDX(t *testing.T) {
	t.Parallel()
	const n = 7
	var pixels, labels []byte
	var want []string
	for i := range n {
		for j := range 6 {
			pixels = append(pixels, byte(40*i+j))
		}
		labels = append(labels, byte(i%3))
		want = append(want, fmt.Sprintf("%d|%v", i%3, pixels[6*i:]))
	}
	images, classes := idxFileOf(8, []uint32{n, 2, 3}, pixels), idxFileOf(8, []uint32{n}, labels)
	for name, objects := range map[string]map[string]string{
		"plain":  {"i": images, "l": classes},
		"gzip":   {"i": packed(t, images), "l": packed(t, classes)},
		"labels": {"i": images, "l": packed(t, classes)},
		"images": {"i": packed(t, images), "l": classes},
	} {
		url := bucket(t, objects)
		s := Source{URLs: []string{url + "/i", url + "/l"}, Format: Format{Name: IDX}}
		var err error
		if s.Schema, err = Infer(t.Context(), s); err != nil || describe(s.Schema) != "label number label, pixels vector 6" {
			t.Fatal(name, describe(s.Schema), err)
		}
		sameRows(t, s, want)
		s.URLs = append(s.URLs, s.URLs...)
		sameRows(t, s, append(want[:n:n], want...), 0, 13)
		s.Schema.Columns[1].Width = 5
		if _, _, _, err := rows(t, s); err == nil || !strings.Contains(err.Error(), "images of 6 pixels") {
			t.Error(err)
		}
	}
}

// TestIDXKinds has each type of numbers.
func TestIDXKinds(t *testing.T) {
	t.Parallel()
	bits := binary.BigEndian.AppendUint64(nil, math.Float64bits(-2.5))
	float := binary.BigEndian.AppendUint32(nil, math.Float32bits(1.5))
	for kind, c := range map[byte]struct {
		data []byte
		want string
	}{
		0x08: {[]byte{200}, "[200]"}, 0x09: {[]byte{200}, "[-56]"}, 0x0b: {[]byte{0xff, 0xfe}, "[-2]"}, 0x0c: {[]byte{0, 0, 1, 0}, "[256]"},
		0x0d: {float, "[1.5]"}, 0x0e: {bits, "[-2.5]"},
	} {
		url := bucket(t, map[string]string{"i": idxFileOf(kind, []uint32{1, 1}, c.data), "l": idxFileOf(8, []uint32{1}, []byte{3})})
		s := Source{URLs: []string{url + "/i", url + "/l"}, Format: Format{Name: IDX}, Schema: columns("pixels v1")}
		sameRows(t, s, []string{c.want})
		s.Schema = columns("label n")
		sameRows(t, s, []string{"3"})
	}
	nan := binary.BigEndian.AppendUint32(float, math.Float32bits(float32(math.NaN())))
	url := bucket(t, map[string]string{"i": idxFileOf(0x0d, []uint32{2, 1}, nan), "l": idxFileOf(8, []uint32{2}, []byte{3, 4})})
	s := Source{URLs: []string{url + "/i", url + "/l"}, Format: Format{Name: IDX}, Schema: columns("pixels v1", "label n")}
	if _, _, _, err := rows(t, s); err == nil || !strings.Contains(err.Error(), `row 2: column "pixels"`) {
		t.Error(err)
	}
	s.Format.Bad = Skip
	if got, _, skipped, err := rows(t, s); err != nil || len(got) != 1 || skipped[BadInfinity] != 1 {
		t.Error(got, skipped, err)
	}
	url = bucket(t, map[string]string{
		"i": idxFileOf(8, []uint32{1, 1}, []byte{1}), "l": idxFileOf(0x0d, []uint32{1}, binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(math.Inf(1))))),
	})
	s = Source{URLs: []string{url + "/i", url + "/l"}, Format: Format{Name: IDX}, Schema: columns("pixels v1", "label n")}
	if _, _, _, err := rows(t, s); err == nil || !strings.Contains(err.Error(), `column "label"`) {
		t.Error(err)
	}
}

// TestIDXEnds: what a compressed file has more than its header says, or less, is an error, if in the checksum alone.
func TestIDXEnds(t *testing.T) {
	t.Parallel()
	good, none := idxFileOf(8, []uint32{2}, []byte{1, 2}), idxFileOf(8, []uint32{0}, nil)
	whole := packed(t, good)
	damaged := []byte(whole)
	damaged[len(damaged)-8] ^= 1
	for name, c := range map[string][2]string{
		"more images":         {packed(t, good+"x"), good},
		"more labels":         {good, packed(t, good+"x")},
		"more than none":      {packed(t, none+"x"), none},
		"no end":              {whole[:len(whole)-8], good},
		"no end of labels":    {good, whole[:len(whole)-8]},
		"another checksum":    {string(damaged), good},
		"more than one error": {packed(t, good+"x"), packed(t, good+"x")},
	} {
		url := bucket(t, map[string]string{"i": c[0], "l": c[1]})
		s := Source{URLs: []string{url + "/i", url + "/l"}, Format: Format{Name: IDX}, Schema: columns("pixels v1", "label n")}
		if got, _, _, err := rows(t, s); err == nil || !strings.Contains(err.Error(), `"i"`) && !strings.Contains(err.Error(), `"l"`) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestIDXBad(t *testing.T) {
	t.Parallel()
	good := idxFileOf(8, []uint32{2}, []byte{1, 2})
	for want, c := range map[string][2]string{
		"no header":       {"hello, world", good},
		"unexpected EOF":  {good[:6], good},
		"3 rows of 1":     {idxFileOf(8, []uint32{3}, []byte{1, 2}), good},
		"2 rows of 1 lab": {idxFileOf(8, []uint32{3}, []byte{1, 2, 3}), good},
		"or more than":    {idxFileOf(8, []uint32{1, 1 << 20, 1 << 20}, nil), good},
		"are none":        {idxFileOf(8, []uint32{1, 0}, nil), good},
		"2 labels":        {good, idxFileOf(8, []uint32{2, 2}, []byte{1, 2, 3, 4})},
	} {
		url := bucket(t, map[string]string{"i": c[0], "l": c[1]})
		s := Source{URLs: []string{url + "/i", url + "/l"}, Format: Format{Name: IDX}, Schema: columns("pixels v1", "label n")}
		if _, _, _, err := rows(t, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if _, err := Infer(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	short := idxFileOf(8, []uint32{2}, []byte{1})
	url := bucket(t, map[string]string{"i": packed(t, short), "l": packed(t, short), "e": "", "f/1": good, "f/2": good})
	s := Source{URLs: []string{url + "/i", url + "/l"}, Format: Format{Name: IDX}, Schema: columns("pixels v1", "label n")}
	if _, _, _, err := rows(t, s); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Error(err)
	}
	for _, urls := range [][]string{nil, {url + "/i"}, {url + "/none", url + "/l"}, {url + "/i", url + "/none"}, {url + "/e", url + "/l"}, {url + "/i", url + "/f"}, {url + "/f", url + "/l"}} {
		s.URLs = urls
		if _, err := s.Parts(t.Context()); err == nil {
			t.Errorf("%q: no error", urls)
		}
	}
	s.URLs, s.Schema = []string{url + "/i", url + "/l"}, columns("a s")
	if _, _, _, err := rows(t, s); err == nil || !strings.Contains(err.Error(), `column "a"`) {
		t.Error(err)
	}
}

func FuzzIDX(f *testing.F) {
	f.Add([]byte(idxFileOf(8, []uint32{2, 2}, []byte{1, 2, 3, 4})), []byte(idxFileOf(8, []uint32{2}, []byte{1, 2})), uint8(3))
	f.Fuzz(func(t *testing.T, images, labels []byte, split uint8) {
		if len(images) > 300 || len(labels) > 100 || len(images) == 0 || len(labels) == 0 {
			return
		}
		url := bucket(t, map[string]string{"i": string(images), "l": string(labels)})
		s := Source{URLs: []string{url + "/i", url + "/l"}, Format: Format{Name: IDX, Bad: Skip}}
		var err error
		if s.Schema, err = Infer(t.Context(), s); err == nil && s.Schema.Columns[1].Width < 1<<16 {
			fuzzRows(t, s, split)
		}
	})
}
