//go:build race

package s3store_test

// raceDetector tells whether it slows everything down and takes memory.
const raceDetector = true
