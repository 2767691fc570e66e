package storage

import (
	"errors"
	"fmt"
)

// ErrThrottled reports that the store asked for fewer requests. It is worth trying again, later.
var ErrThrottled = errors.New("throttled by the object store")

// ErrChanged reports that an object was replaced while it was being read, or after it was split. Reading on would mix two
// versions.
var ErrChanged = errors.New("the object has changed")

// ErrDamaged reports that the bytes that were read are not those that were stored, as a checksum tells. What was read so
// far is not to be used. A driver returns it when asking again did not help, or when the bytes were delivered already; then
// also where the checksum itself could not be had.
var ErrDamaged = errors.New("the object's bytes were damaged on the way")

// Error tells which operation failed, on which object.
type Error struct {
	Op  string // get, put, putnew, stat, list or delete; or read, where the content is at fault
	URL string // of the bucket; never holds credentials
	Key string // the key, or the prefix of a list
	Err error
}

func (e *Error) Error() string {
	return fmt.Sprintf("storage: %s %q in %s: %v", e.Op, e.Key, e.URL, e.Err)
}

// Retryable reports whether the operation might succeed at another time: a task that returns such an error gets another
// attempt. Content at fault (read) and errors such as [io/fs.ErrNotExist] stay.
func (e *Error) Retryable() bool { return e.Op != "read" && passing(e.Err) }

// Unwrap returns the cause, so that errors.Is finds [io/fs.ErrNotExist] and its like.
func (e *Error) Unwrap() error { return e.Err }

// wrap makes err an [*Error], where it is not one already.
func wrap(op, url, key string, err error) error {
	if _, ok := err.(*Error); ok { //nolint:errorlint // one deeper inside is part of another's message
		return err
	}
	return &Error{op, url, key, err}
}
