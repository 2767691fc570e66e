//go:build !race

package preprocess

// raceDetector tells whether it slows everything down and takes memory.
const raceDetector = false
