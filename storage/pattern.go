package storage

import (
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"
)

// pattern is a URL whose path holds * or [.
type pattern struct {
	folder   string   // the URL of the last folder before the first * or [
	prefix   string   // of the keys in it that can match
	segments []string // of such keys, each a pattern of path.Match, or "**"
}

// special are the characters of path.Match. Those that the URL writes with % stand for themselves.
const special = `*?[]\-^`

// parsePattern returns nil where u is no pattern. The URL package keeps a path as it was written in RawPath, where that
// differs from its own way to write it, which is %2A for * and %5B for [.
func parsePattern(u *url.URL) (*pattern, error) {
	first := strings.IndexAny(u.RawPath, "*[")
	if first < 0 {
		return nil, nil
	}
	raw := u.RawPath[:strings.LastIndexByte(u.RawPath[:first], '/')+1]
	dir, err := url.PathUnescape(raw)
	if err != nil {
		return nil, badPattern(u, err)
	}
	p := &pattern{folder: above(u, dir, raw)}
	if p.prefix, err = url.PathUnescape(u.RawPath[len(raw):first]); err != nil {
		return nil, badPattern(u, err)
	}
	for segment := range strings.SplitSeq(u.RawPath[len(raw):], "/") {
		s, err := unescape(segment)
		if err == nil {
			_, err = path.Match(s, "")
		}
		if err != nil {
			return nil, badPattern(u, err)
		}
		p.segments = append(p.segments, s)
	}
	if last := len(p.segments) - 1; p.segments[last] == "" {
		p.segments = append(p.segments[:last], "*", "**") // an object below, and not the one that has the folder's name
	}
	return p, nil
}

func badPattern(u *url.URL, err error) error {
	return fmt.Errorf("%w: storage: the pattern %s: %w", fs.ErrInvalid, u.RawPath, err)
}

// unescape turns a segment of a URL into a pattern of path.Match.
func unescape(segment string) (string, error) {
	var s strings.Builder
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		switch c {
		case '%':
			decoded, err := url.PathUnescape(segment[i:min(i+3, len(segment))])
			if err != nil {
				return "", err
			}
			if strings.Contains(special, decoded) {
				s.WriteByte('\\')
			}
			s.WriteString(decoded)
			i += 2
		case '\\':
			s.WriteString(`\\`)
		default:
			s.WriteByte(c)
		}
	}
	return s.String(), nil
}

// match tells whether a key of the folder matches. Only the last ** that was met need be tried again with more segments:
// what an earlier one could take, it can take too.
func (p *pattern) match(key string) bool {
	parts := strings.Split(key, "/")
	i, j := 0, 0          // of p.segments and of parts
	retry, taken := -1, 0 // the segment after the last **, and the part it was tried with
	for j < len(parts) || i < len(p.segments) {
		if i < len(p.segments) {
			if p.segments[i] == "**" {
				i++
				retry, taken = i, j
				continue
			}
			if j < len(parts) {
				if ok, err := path.Match(p.segments[i], parts[j]); ok && err == nil {
					i, j = i+1, j+1
					continue
				}
			}
		}
		if retry < 0 || taken >= len(parts) {
			return false
		}
		taken++
		i, j = retry, taken
	}
	return true
}
