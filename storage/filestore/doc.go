// Package filestore keeps objects as files below a folder, for one machine or several that share the folder. Importing
// it registers the scheme file: file:///a/folder, which [URL] writes.
//
// A key is the file's path below the folder, so that a folder of your own files is a bucket as it stands. The folder is
// made by the first Put; opening one that is not there leaves nothing behind.
//
// # How it works
//
// Put writes a temporary file in the reserved folder ".gowren-tmp" of the bucket and renames it over the key. PutNew
// makes it a hard link under the key, which of several processes exactly one can do; where the file system has no hard
// links, it is a rename that replaces nothing. Temporary files of processes that died are removed by the next Open or
// Close on the same machine; any that was not written to for 24 hours, by Open or Close on any machine. Delete removes
// the folders that it leaves empty.
//
// No access leaves the folder, by symbolic links neither ([os.Root]). A link to a regular file inside the folder is read
// and listed; a link to a folder is followed by Get and not by List.
//
// # Limits
//
//   - A key has no empty segment, no slash at its end, no segment over 255 bytes, and none named ".gowren-tmp".
//   - A file whose name is no valid key is not listed, nor is what is not a regular file.
//   - On macOS the usual file systems take "A" and "a" for one name, and so two spellings of one accented letter.
//   - Objects outlive the process that wrote them. A power cut can take the latest: nothing is synced to the disk.
//   - A listing holds the entries of one folder, and of those above it, in memory.
//   - The folder must lie on one file system, mounts below it cannot be written to.
package filestore
