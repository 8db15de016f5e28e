-- Every counter column with its recount. A counter may exist only in a row that is written by the
-- same plan as the rows it counts. Each query gives the rows that differ:
-- shard, tenant, the counting row's own key (0 for a tenant), what it says, what there is.
-- The text is the same for every backend. States: succeeded 5, dead 6, canceled 7.

-- name: tenants.waiting
SELECT shard, tenant, 0 AS id, stored, counted
FROM (SELECT t.shard AS shard, t.tenant AS tenant, t.waiting AS stored,
             (SELECT count(*) FROM ready AS r
              WHERE r.shard = t.shard AND r.tenant = t.tenant) AS counted
      FROM tenants AS t) AS c
WHERE stored <> counted
ORDER BY shard, tenant;

-- name: tenants.inflight
SELECT shard, tenant, 0 AS id, stored, counted
FROM (SELECT t.shard AS shard, t.tenant AS tenant, t.inflight AS stored,
             (SELECT count(*) FROM leased AS l
              WHERE l.shard = t.shard AND l.tenant = t.tenant) AS counted
      FROM tenants AS t) AS c
WHERE stored <> counted
ORDER BY shard, tenant;

-- name: tenants.live
SELECT shard, tenant, 0 AS id, stored, counted
FROM (SELECT t.shard AS shard, t.tenant AS tenant, t.live AS stored,
             (SELECT count(*) FROM blocked AS b
              WHERE b.shard = t.shard AND b.tenant = t.tenant)
             + (SELECT count(*) FROM ready AS r
                WHERE r.shard = t.shard AND r.tenant = t.tenant)
             + (SELECT count(*) FROM delayed AS d
                WHERE d.shard = t.shard AND d.tenant = t.tenant)
             + (SELECT count(*) FROM leased AS l
                WHERE l.shard = t.shard AND l.tenant = t.tenant) AS counted
      FROM tenants AS t) AS c
WHERE stored <> counted
ORDER BY shard, tenant;

-- name: lanes.waiting
SELECT shard, tenant, id, stored, counted
FROM (SELECT n.shard AS shard, n.tenant AS tenant, n.lane AS id, n.waiting AS stored,
             (SELECT count(*) FROM ready AS r
              WHERE r.shard = n.shard AND r.tenant = n.tenant AND r.lane = n.lane) AS counted
      FROM lanes AS n) AS c
WHERE stored <> counted
ORDER BY shard, tenant, id;

-- Counted once over leased: a lane has no index over its leases.
-- name: lanes.inflight
SELECT n.shard AS shard, n.tenant AS tenant, n.lane AS id, n.inflight AS stored,
       coalesce(c.counted, 0) AS counted
FROM lanes AS n
LEFT JOIN (SELECT l.shard AS shard, l.tenant AS tenant, l.lane AS lane, count(*) AS counted
           FROM leased AS l
           GROUP BY l.shard, l.tenant, l.lane) AS c
  ON c.shard = n.shard AND c.tenant = n.tenant AND c.lane = n.lane
WHERE n.inflight <> coalesce(c.counted, 0)
ORDER BY n.shard, n.tenant, n.lane;

-- name: runs.present
SELECT shard, tenant, id, stored, counted
FROM (SELECT r.shard AS shard, r.tenant AS tenant, r.run AS id, r.present AS stored,
             (SELECT count(*) FROM jobs AS j
              WHERE j.shard = r.shard AND j.tenant = r.tenant AND j.run = r.run
                AND j.run > 0) AS counted
      FROM runs AS r) AS c
WHERE stored <> counted
ORDER BY shard, tenant, id;

-- name: runs.blocked
SELECT r.shard AS shard, r.tenant AS tenant, r.run AS id, r.blocked AS stored,
       coalesce(c.counted, 0) AS counted
FROM runs AS r
LEFT JOIN (SELECT x.shard AS shard, x.tenant AS tenant, x.run AS run, count(*) AS counted
           FROM blocked AS x
           WHERE x.run > 0
           GROUP BY x.shard, x.tenant, x.run) AS c
  ON c.shard = r.shard AND c.tenant = r.tenant AND c.run = r.run
WHERE r.blocked <> coalesce(c.counted, 0)
ORDER BY r.shard, r.tenant, r.run;

-- name: runs.leased
SELECT r.shard AS shard, r.tenant AS tenant, r.run AS id, r.leased AS stored,
       coalesce(c.counted, 0) AS counted
FROM runs AS r
LEFT JOIN (SELECT x.shard AS shard, x.tenant AS tenant, x.run AS run, count(*) AS counted
           FROM leased AS x
           WHERE x.run > 0
           GROUP BY x.shard, x.tenant, x.run) AS c
  ON c.shard = r.shard AND c.tenant = r.tenant AND c.run = r.run
WHERE r.leased <> coalesce(c.counted, 0)
ORDER BY r.shard, r.tenant, r.run;

-- name: runs.succeeded
SELECT r.shard AS shard, r.tenant AS tenant, r.run AS id, r.succeeded AS stored,
       coalesce(c.counted, 0) AS counted
FROM runs AS r
LEFT JOIN (SELECT x.shard AS shard, x.tenant AS tenant, x.run AS run, count(*) AS counted
           FROM outcomes AS x
           WHERE x.run > 0 AND x.state = 5
           GROUP BY x.shard, x.tenant, x.run) AS c
  ON c.shard = r.shard AND c.tenant = r.tenant AND c.run = r.run
WHERE r.succeeded <> coalesce(c.counted, 0)
ORDER BY r.shard, r.tenant, r.run;

-- name: runs.dead
SELECT r.shard AS shard, r.tenant AS tenant, r.run AS id, r.dead AS stored,
       coalesce(c.counted, 0) AS counted
FROM runs AS r
LEFT JOIN (SELECT x.shard AS shard, x.tenant AS tenant, x.run AS run, count(*) AS counted
           FROM outcomes AS x
           WHERE x.run > 0 AND x.state = 6
           GROUP BY x.shard, x.tenant, x.run) AS c
  ON c.shard = r.shard AND c.tenant = r.tenant AND c.run = r.run
WHERE r.dead <> coalesce(c.counted, 0)
ORDER BY r.shard, r.tenant, r.run;

-- name: runs.canceled
SELECT r.shard AS shard, r.tenant AS tenant, r.run AS id, r.canceled AS stored,
       coalesce(c.counted, 0) AS counted
FROM runs AS r
LEFT JOIN (SELECT x.shard AS shard, x.tenant AS tenant, x.run AS run, count(*) AS counted
           FROM outcomes AS x
           WHERE x.run > 0 AND x.state = 7
           GROUP BY x.shard, x.tenant, x.run) AS c
  ON c.shard = r.shard AND c.tenant = r.tenant AND c.run = r.run
WHERE r.canceled <> coalesce(c.counted, 0)
ORDER BY r.shard, r.tenant, r.run;

-- name: log_heads.stored
SELECT h.shard AS shard, h.tenant AS tenant, h.job AS id, h.stored AS stored,
       coalesce(c.counted, 0) AS counted
FROM log_heads AS h
LEFT JOIN (SELECT x.shard AS shard, x.tenant AS tenant, x.job AS job,
                  CAST(sum(x.raw_len) AS BIGINT) AS counted
           FROM job_logs AS x
           GROUP BY x.shard, x.tenant, x.job
           UNION ALL
           SELECT x.shard, x.tenant, 0, CAST(sum(x.raw_len) AS BIGINT)
           FROM job_logs AS x
           GROUP BY x.shard, x.tenant) AS c
  ON c.shard = h.shard AND c.tenant = h.tenant AND c.job = h.job
WHERE h.stored <> coalesce(c.counted, 0)
ORDER BY h.shard, h.tenant, h.job;

-- Of what tenants share, stored with the system tenant.
-- name: quota_members.in_use
SELECT m.shard AS shard, m.tenant AS tenant, m.member AS id, m.in_use AS stored,
       coalesce(c.counted, 0) AS counted
FROM quota_members AS m
LEFT JOIN (SELECT l.tenant AS tenant, count(*) AS counted
           FROM leased AS l
           GROUP BY l.tenant) AS c
  ON c.tenant = m.member
WHERE m.quota_group > 0 AND m.in_use <> coalesce(c.counted, 0)
ORDER BY m.shard, m.tenant, m.member;

-- name: quota_groups.in_use
SELECT g.shard AS shard, g.tenant AS tenant, g.quota_group AS id, g.in_use AS stored,
       coalesce(c.counted, 0) AS counted
FROM quota_groups AS g
LEFT JOIN (SELECT m.shard AS shard, m.tenant AS tenant, m.quota_group AS id, count(*) AS counted
           FROM quota_members AS m
           JOIN leased AS l ON l.tenant = m.member
           GROUP BY m.shard, m.tenant, m.quota_group) AS c
  ON c.shard = g.shard AND c.tenant = g.tenant AND c.id = g.quota_group
WHERE g.in_use <> coalesce(c.counted, 0)
ORDER BY g.shard, g.tenant, g.quota_group;

-- name: quota_groups.nominal
SELECT shard, tenant, id, stored, counted
FROM (SELECT g.shard AS shard, g.tenant AS tenant, g.quota_group AS id, g.nominal AS stored,
             (SELECT CAST(coalesce(sum(m.nominal), 0) AS BIGINT) FROM quota_members AS m
              WHERE m.shard = g.shard AND m.tenant = g.tenant
                AND m.quota_group = g.quota_group) AS counted
      FROM quota_groups AS g) AS c
WHERE stored <> counted
ORDER BY shard, tenant, id;

-- name: quota_groups.floors
SELECT shard, tenant, id, stored, counted
FROM (SELECT g.shard AS shard, g.tenant AS tenant, g.quota_group AS id, g.floors AS stored,
             (SELECT CAST(coalesce(sum(m.floor), 0) AS BIGINT) FROM quota_members AS m
              WHERE m.shard = g.shard AND m.tenant = g.tenant
                AND m.quota_group = g.quota_group) AS counted
      FROM quota_groups AS g) AS c
WHERE stored <> counted
ORDER BY shard, tenant, id;

-- name: quota_groups.members
SELECT shard, tenant, id, stored, counted
FROM (SELECT g.shard AS shard, g.tenant AS tenant, g.quota_group AS id, g.members AS stored,
             (SELECT count(*) FROM quota_members AS m
              WHERE m.shard = g.shard AND m.tenant = g.tenant
                AND m.quota_group = g.quota_group) AS counted
      FROM quota_groups AS g) AS c
WHERE stored <> counted
ORDER BY shard, tenant, id;
