package redisstore

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gowren/gowren/storage"
)

// Names in the server.
const (
	objectName = "gowren:o:" // and the key
	partName   = "gowren:p:" // and the version, a colon and a number
	indexName  = "gowren:index"
)

// maxHeader bounds the line that describes an object.
const maxHeader = 256

// header is the line that the value at an object's key begins with: gowren1, version, size, part size, time in
// microseconds. The object's bytes follow when the part size is 0.
type header struct {
	version string // random, and so new with each Put; the ETag
	size    int64
	part    int64
	time    time.Time
}

// begin writes the line up to the time, which the server adds.
func (h header) begin() string { return fmt.Sprintf("gowren1 %s %d %d ", h.version, h.size, h.part) }

// parts is how many there are.
func (h header) parts() int64 {
	if h.part == 0 {
		return 0
	}
	return (h.size + h.part - 1) / h.part
}

func (h header) describe(key string) storage.Object {
	return storage.Object{Key: key, Size: h.size, Modified: h.time, ETag: h.version}
}

var errHeader = errors.New("the value at the object's key in the server is not as this package writes it")

// parseHeader reads the line, and returns what follows it.
func parseHeader(value []byte) (header, []byte, error) {
	line, rest, _ := bytes.Cut(value, []byte("\n"))
	fields := strings.Fields(string(line[:min(len(line), maxHeader)]))
	if len(fields) != 5 || fields[0] != "gowren1" {
		return header{}, nil, errHeader
	}
	size, err1 := strconv.ParseInt(fields[2], 10, 64)
	part, err2 := strconv.ParseInt(fields[3], 10, 64)
	micros, err3 := strconv.ParseInt(fields[4], 10, 64)
	if errors.Join(err1, err2, err3) != nil || size < 0 || part < 0 {
		return header{}, nil, errHeader
	}
	return header{fields[1], size, part, time.UnixMicro(micros)}, rest, nil
}
