-- Copies of what the engine wrote about finished jobs, so that ten million need not be run: every
-- row again with its numbers moved behind the tenant's last (:jobs, :lines), keys and their hashes
-- made others. The same text for both backends; scale.py fills in the names. (a | b) - (a & b) is
-- exclusive or.

-- name: jobs
INSERT INTO jobs (shard, tenant, job, run, lane, priority, rank, submitted_at, submit_seq,
                  replay_of, name, key, digest, traceparent, payload)
SELECT shard, tenant, job + :copy * :jobs, run, lane, priority, rank, submitted_at,
       submit_seq + :copy * :lines, replay_of, name,
       CAST(10000 + :copy AS text) || substr(key, 6), digest, traceparent, payload
FROM jobs
WHERE shard = :shard AND tenant = :tenant AND job <= :jobs
ORDER BY job;

-- name: job_keys
INSERT INTO job_keys (shard, tenant, generation, hash, job)
SELECT shard, tenant, generation, (hash | :mask) - (hash & :mask), job + :copy * :jobs
FROM job_keys
WHERE shard = :shard AND tenant = :tenant AND job <= :jobs;

-- name: outcomes
INSERT INTO outcomes (shard, tenant, job, lane, rank, run, flags, priority, "grant", spent, job_seq,
                      throttled_ms, state, class, cause, worker, claimed_at, claimed_seq, ended_at,
                      ended_seq, digest, result)
SELECT shard, tenant, job + :copy * :jobs, lane, rank, run, flags, priority, "grant", spent,
       job_seq, throttled_ms, state, class, cause, worker, claimed_at,
       claimed_seq + :copy * :lines, ended_at, ended_seq + :copy * :lines, digest, result
FROM outcomes
WHERE shard = :shard AND tenant = :tenant AND job <= :jobs
ORDER BY job;

-- name: history
INSERT INTO history (shard, tenant, seq, count, at, raw_len, lines)
SELECT shard, tenant, seq + :copy * :lines, count, at, raw_len, lines
FROM history
WHERE shard = :shard AND tenant = :tenant AND seq <= :lines
ORDER BY seq;

-- name: tenant
UPDATE tenants
SET next_job = next_job + :copies * :jobs, head_seq = head_seq + :copies * :lines
WHERE shard = :shard AND tenant = :tenant;

-- name: sources
INSERT INTO sources (shard, tenant, name, version, body)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :sources)
SELECT x.shard, x.tenant, 'source-' || n.n, x.version, x.body
FROM numbers AS n CROSS JOIN sources AS x
WHERE x.name = 'source-0';

-- Lanes as a claim leaves them when their source is disabled (hold 8, until further notice).
-- name: hold_lanes
UPDATE lanes SET open_at = 9223372036854775807, hold = 8 WHERE source <> '';
