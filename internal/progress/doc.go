// Package progress shows the user what jobs do: a bar on a terminal, a plain line every few seconds anywhere else, and
// between them the log lines of workers.
//
//	v := progress.New(os.Stderr)
//	stop := v.Watch("square", job.Counts)
//	defer stop()
//
// On a terminal, a job that takes longer than half a second has a bar on the last line, never wider than the terminal:
//
//	square [=====>          ] 312,000/1,000,000 31%, 41,000/s, 17s left, 3 failed
//
// It is erased when the job stops, and one line remains of it:
//
//	square: 1,000,000 tasks in 24s (41,600/s), 3 failed, 2 retried
//
// Elsewhere, a job that takes longer than five seconds has a line every five seconds, and that last one. Shorter jobs show
// nothing. Colours are never used, so there is nothing to switch off.
//
// Everything shown is cleaned first: names and log lines come from programs that may be faulty or hostile, and must not
// be able to move the cursor, clear the screen or forge a line.
//
// Progress is not the user's result. After the first failed write a [View] is silent, its log lines included, and no job
// hears of it.
package progress
