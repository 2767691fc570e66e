//go:build !race

package dataset

// raceDetector tells whether it slows everything down and takes memory.
const raceDetector = false
