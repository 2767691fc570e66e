package storage

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"
)

// MaxKey is the length of the longest key, in bytes: what S3 and Google Cloud Storage allow.
const MaxKey = 1024

// CheckKey says why key cannot name an object, with an error that wraps [io/fs.ErrInvalid]. A key is not empty, is valid
// UTF-8 of at most [MaxKey] bytes, holds no control character, does not begin with a slash and has no segment "." or
// "..", which some stores and most HTTP clients resolve on the way.
//
// Drivers call it before they send anything, and add the limits of their own store.
func CheckKey(key string) error {
	switch {
	case key == "":
		return badKey("it is empty")
	case len(key) > MaxKey:
		return badKey(fmt.Sprintf("it has %d bytes, at most %d are allowed", len(key), MaxKey))
	case !utf8.ValidString(key):
		return badKey("it is not valid UTF-8")
	case key[0] == '/':
		return badKey("it begins with a slash")
	}
	for i := range len(key) {
		if c := key[i]; c < 0x20 || c == 0x7f {
			return badKey(fmt.Sprintf("it holds the control character %#02x", c))
		}
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "." || segment == ".." {
			return badKey(fmt.Sprintf("it has the segment %q", segment))
		}
	}
	return nil
}

func badKey(why string) error { return fmt.Errorf("%w: the key is refused: %s", fs.ErrInvalid, why) }
