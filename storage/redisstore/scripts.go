package redisstore

import (
	"fmt"

	"github.com/redis/go-redis/v9"
)

// What commit answers.
const (
	committed = "committed"
	taken     = "taken" // PutNew met an object
	lost      = "lost"  // a part is gone
)

// functions are what the scripts share.
var functions = fmt.Sprintf(`
-- line returns what describes an object, or '' where there is none.
local function line(object)
  return string.match(redis.call('GETRANGE', object, 0, %d), '^[^\n]*')
end
-- parts returns what the names of an object's parts begin with, and how many there are.
local function parts(line)
  local version, size, part = string.match(line, '^gowren1 (%%w+) (%%d+) (%%d+) ')
  if not version or part == '0' then
    return '', 0
  end
  return '%s' .. version .. ':', math.ceil(tonumber(size) / tonumber(part))
end
local function drop(name, n)
  for i = 0, n - 1 do
    redis.call('UNLINK', name .. i)
  end
end
local object = '%s'
`, maxHeader-1, partName, objectName)

// commit makes an object of what was written. The first command that writes is ZADD: a server whose memory is full, or
// whose index is something else, refuses that one, and a script that has begun to write is not refused any more.
//
// In a bucket whose objects expire, it looks at two of the index's entries at random and takes out what has expired. An
// object adds one entry, so the dead ones stay fewer than the living.
var commit = redis.NewScript(functions + `
local key, head, bytes = ARGV[1], ARGV[2], ARGV[3]
local fresh, ttl, grace = ARGV[4] == '1', tonumber(ARGV[5]), tonumber(ARGV[6])
local old = line(object .. key)
local name, n = parts(head)
if fresh and old ~= '' then
  drop(name, n)
  return 'taken'
end
for i = 0, n - 1 do
  if redis.call('EXISTS', name .. i) == 0 then
    drop(name, n)
    return 'lost'
  end
end
local now = redis.call('TIME')
local value = head .. now[1] .. string.format('%06d', now[2]) .. '\n' .. bytes
redis.call('ZADD', KEYS[1], 0, key)
if ttl > 0 then
  redis.call('SET', object .. key, value, 'PX', ttl)
else
  redis.call('SET', object .. key, value)
end
for i = 0, n - 1 do
  if ttl > 0 then
    redis.call('PEXPIRE', name .. i, ttl + grace)
  else
    redis.call('PERSIST', name .. i)
  end
end
name, n = parts(old)
for i = 0, n - 1 do
  redis.call('PEXPIRE', name .. i, grace)
end
if ttl > 0 then
  local some = redis.pcall('ZRANDMEMBER', KEYS[1], 2)
  if not some.err then
    for _, other in ipairs(some) do
      if redis.call('EXISTS', object .. other) == 0 then
        redis.call('ZREM', KEYS[1], other)
      end
    end
  end
end
return 'committed'
`)

// touch gives parts that wait for their commit more time.
var touch = redis.NewScript(functions + `
local name, n = parts(ARGV[1])
for i = 0, n - 1 do
  redis.call('PEXPIRE', name .. i, ARGV[2])
end
`)

// remove deletes objects.
var remove = redis.NewScript(functions + `
for _, key in ipairs(ARGV) do
  drop(parts(line(object .. key)))
  redis.call('UNLINK', object .. key)
  redis.call('ZREM', KEYS[1], key)
end
`)

// page returns keys and what describes the objects, in turn. What has expired has ” for that, and is taken out of the
// index, where that is allowed.
var page = redis.NewScript(functions + `
local reply = {}
for _, key in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])) do
  local found = line(object .. key)
  if found == '' then
    redis.pcall('ZREM', KEYS[1], key)
  end
  table.insert(reply, key)
  table.insert(reply, found)
end
return reply
`)
