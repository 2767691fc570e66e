// Package redisstore keeps objects in a Redis server. Importing it registers the schemes redis and rediss, which is over
// TLS:
//
//	redis://host:port/db/prefix?ttl=24h
//	rediss://user@host:port/0
//
// The database is a number, 0 where the path is empty; what follows it is a prefix of keys. The port defaults to 6379.
// With ttl, an object that is written through this URL is gone after that time, and from listings too. The server's
// certificate is checked against those of the system.
//
// # Credentials
//
// The password is in the environment variable GOWREN_REDIS_PASSWORD, of the driver and of its workers. The user, where
// it is not the server's default one, stands in the URL, and needs the password to be set. A user needs the keys that begin with gowren: and the commands
// hello, select, eval, evalsha, exists, get, getrange, set, pexpire, persist, time, unlink, zadd, zrem, zrandmember and
// zrangebylex.
//
// # In the server
//
// An object of at most 64 KiB is one value, gowren:o: and its key, which begins with a line that describes it. A larger
// one is cut into parts of 8 MiB, gowren:p: with a random name and a number; the line alone is at its key then. Put
// writes the parts, one at a time, and then, in one script, the line and the entry in gowren:index, a sorted set of all
// keys that is read for listings. That script is the commit: until it has run nobody sees the object, and of several
// PutNews it lets one pass. Parts that no script has committed go by themselves an hour after they were last written to,
// which is what a crash leaves; data that come more slowly than that are an error.
//
// A reader reads one version. The parts of a replaced object stay for 30 seconds for those who are reading them, and
// cost memory for so long; a deleted object's go at once. Whoever is later gets [storage.ErrChanged].
//
// # Limits
//
// Redis 6 or later. The server's maxmemory-policy must be noeviction, which is the default: another one drops parts and
// listings. An object whose part was dropped cannot be read, and says so; a dropped index leaves objects unlisted. A
// server whose memory is full refuses to write with an error that is none of a known kind: waiting would not help.
//
// One server holds a bucket: Redis Cluster is not supported. Replicas take over without some of the last writes when a
// server fails, as they are copied behind its back; a PutNew that won may be won again.
//
// Each operation makes one attempt; [storage.Retry] makes more. A server that is loading its data, or is held up by
// another's script, is [storage.ErrThrottled]. A bucket has up to 16 connections, made when they are needed. Memory is
// one part a Put and 1 MiB a reader. Bytes on the way are checked by TCP, and by TLS where there is TLS.
package redisstore
