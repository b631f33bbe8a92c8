//! What has to happen at once, as Redis does it.

use redis::Script;

/// Opens a stream, unless it is there.
const BEGIN: &str = r"
if redis.call('EXISTS', KEYS[1]) == 1 then return end
redis.call('DEL', KEYS[2], KEYS[5], KEYS[6])
redis.call('HSET', KEYS[1], 'opened', ARGV[2], 'written', ARGV[2], 'ttl', ARGV[3],
  'last', string.format('%.0f', ARGV[4] - 1), 'bytes', 0,
  'replaces', ARGV[5])
redis.call('ZADD', KEYS[3], ARGV[2] + ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[4], 0, ARGV[1])
";

/// Appends lines: what became of them, and the numbers of the first and the last.
const PUSH: &str = r"
local about = redis.call('HMGET', KEYS[1], 'last', 'ttl', 'reason')
if not about[1] then return {'none', 0, 0} end
if ARGV[3] ~= '' then
  local known = redis.call('HGET', KEYS[4], ARGV[3])
  if known then
    local first, last = string.match(known, '(%d+) (%d+)')
    return {'again', first, last}
  end
end
if about[3] then return {'closed', 0, 0} end
local first = string.format('%.0f', about[1] + 1)
local last = string.format('%.0f', about[1] + ARGV[4])
if ARGV[4] == '0' then return {'taken', first, last} end
local kept = about[1] + ARGV[4] - ARGV[5]
if kept > 0 then
  redis.call('XADD', KEYS[2], 'MINID', '~', string.format('%.0f', kept), last .. '-0', 'f', first, 'l', ARGV[6])
else
  redis.call('XADD', KEYS[2], last .. '-0', 'f', first, 'l', ARGV[6])
end
redis.call('HSET', KEYS[1], 'last', last, 'written', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'bytes', #ARGV[6])
redis.call('ZADD', KEYS[3], ARGV[2] + about[2], ARGV[1])
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[4], ARGV[3], first .. ' ' .. last)
  redis.call('RPUSH', KEYS[5], ARGV[3])
  if redis.call('LLEN', KEYS[5]) > 64 then
    redis.call('HDEL', KEYS[4], redis.call('LPOP', KEYS[5]))
  end
end
return {'taken', first, last}
";

/// Ends a stream, and wakes all who read it.
const END: &str = r"
local about = redis.call('HMGET', KEYS[1], 'last', 'reason')
if not about[1] then return 0 end
if about[2] then return 1 end
redis.call('HSET', KEYS[1], 'reason', ARGV[3], 'at', ARGV[2])
redis.call('XADD', KEYS[2], about[1] .. '-1', 'e', ARGV[3], 'a', ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('SADD', KEYS[4], ARGV[1])
return 1
";

/// Gives a lock back that is still ours.
const UNLOCK: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
";

/// Keeps a lock that is still ours.
const RENEW: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
";

/// The scripts; Redis keeps them by their digest.
#[derive(Debug)]
pub(super) struct Scripts {
    pub begin: Script,
    pub push: Script,
    pub end: Script,
    pub unlock: Script,
    pub renew: Script,
}

impl Scripts {
    pub fn new() -> Self {
        Self {
            begin: Script::new(BEGIN),
            push: Script::new(PUSH),
            end: Script::new(END),
            unlock: Script::new(UNLOCK),
            renew: Script::new(RENEW),
        }
    }
}
