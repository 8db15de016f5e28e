-- name: schema_001
-- Tables, indexes, row security and grants. Run by stella_owner in one transaction.
--
-- Columns are in the order of core/tables.c. Every key begins with shard, and but for timers with
-- (shard, tenant), so that an engine that distributes tables can place them by it. Text compares
-- bytewise ("C"), as in SQLite. No enum, trigger, sequence or foreign key; nothing here takes
-- advisory locks.

CREATE TABLE ledger (
    one            int2 PRIMARY KEY CHECK (one = 1),
    schema_version int4 NOT NULL,
    seed           bytea NOT NULL CHECK (length(seed) = 16),
    created_at     int8 NOT NULL
);

-- Groups that committed of late, so that ledger_was_committed() can answer.
CREATE TABLE ticks (
    shard    int2 NOT NULL,
    at       int8 NOT NULL,
    group_id int8 NOT NULL,
    PRIMARY KEY (shard, at, group_id)
);

-- One compressed chunk a tenant and tick; tenant 0: the shard's log. EXTERNAL: packing what is packed costs time only.
CREATE TABLE history (
    shard   int2 NOT NULL,
    tenant  int4 NOT NULL,
    seq     int8 NOT NULL,
    count   int4 NOT NULL,
    at      int8 NOT NULL,
    raw_len int8 NOT NULL,
    lines   bytea NOT NULL,
    PRIMARY KEY (shard, tenant, seq)
);
ALTER TABLE history ALTER COLUMN lines SET STORAGE EXTERNAL;

CREATE TABLE shards (
    shard           int2 NOT NULL,
    tick            int8 NOT NULL,
    last_at         int8 NOT NULL,
    next_due_at     int8 NOT NULL,
    available_since int8 NOT NULL,
    lapse_allowance int8 NOT NULL,
    lapse_refill_at int8 NOT NULL,
    head_seq        int8 NOT NULL,
    PRIMARY KEY (shard)
) WITH (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE tenants (
    shard          int2 NOT NULL,
    tenant         int4 NOT NULL,
    name           text COLLATE "C" NOT NULL,
    created_at     int8 NOT NULL,
    weight         int4 NOT NULL,
    max_inflight   int4 NOT NULL,
    max_live       int4 NOT NULL,
    version        int4 NOT NULL,
    config_version int4 NOT NULL,
    head_seq       int8 NOT NULL,
    next_job       int8 NOT NULL,
    next_run       int8 NOT NULL,
    next_lane      int4 NOT NULL,
    charged        int8 NOT NULL,
    lift           int8 NOT NULL,
    waiting        int8 NOT NULL,
    inflight       int8 NOT NULL,
    live           int8 NOT NULL,
    key_generation int4 NOT NULL,
    key_oldest     int4 NOT NULL,
    key_turned_at  int8 NOT NULL,
    erased_to      int8 NOT NULL,
    next_bulk      int8 NOT NULL,
    quota_group    int4 NOT NULL,
    PRIMARY KEY (shard, tenant)
) WITH (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE tenant_names (
    shard      int2 NOT NULL,
    tenant     int4 NOT NULL,
    name       text COLLATE "C" NOT NULL,
    named      int4 NOT NULL,
    home_shard int2 NOT NULL,
    created_at int8 NOT NULL,
    PRIMARY KEY (shard, tenant, name)
);

CREATE TABLE job_types (
    shard   int2 NOT NULL,
    tenant  int4 NOT NULL,
    name    text COLLATE "C" NOT NULL,
    version int4 NOT NULL,
    body    text COLLATE "C" NOT NULL,
    PRIMARY KEY (shard, tenant, name)
);

CREATE TABLE sources (
    shard   int2 NOT NULL,
    tenant  int4 NOT NULL,
    name    text COLLATE "C" NOT NULL,
    version int4 NOT NULL,
    body    text COLLATE "C" NOT NULL,
    PRIMARY KEY (shard, tenant, name)
);

-- What job types (kind 0) and sources (kind 1) were, at each version.
CREATE TABLE config_versions (
    shard   int2 NOT NULL,
    tenant  int4 NOT NULL,
    kind    int2 NOT NULL,
    name    text COLLATE "C" NOT NULL,
    version int4 NOT NULL,
    body    text COLLATE "C" NOT NULL,
    at      int8 NOT NULL,
    actor   text COLLATE "C" NOT NULL,
    reason  text COLLATE "C" NOT NULL,
    PRIMARY KEY (shard, tenant, kind, name, version)
);

-- state: 0 active, 1 draining, 2 quarantined. seen_at and offset_ms are soft.
CREATE TABLE workers (
    shard         int2 NOT NULL,
    tenant        int4 NOT NULL,
    name          text COLLATE "C" NOT NULL,
    state         int2 NOT NULL,
    reason        text COLLATE "C" NOT NULL,
    changed_at    int8 NOT NULL,
    version       text COLLATE "C" NOT NULL,
    slots         int4 NOT NULL,
    job_types     text COLLATE "C" NOT NULL,
    registered_at int8 NOT NULL,
    seen_at       int8 NOT NULL,
    offset_ms     int8 NOT NULL,
    PRIMARY KEY (shard, tenant, name)
);

-- What was said of the whole installation: of the system tenant.
CREATE TABLE installation (
    shard         int2 NOT NULL,
    tenant        int4 NOT NULL,
    version       int4 NOT NULL,
    grant_floor   int8 NOT NULL,
    restored_at   int8 NOT NULL,
    restored_from text COLLATE "C" NOT NULL,
    paused_since  int8 NOT NULL,
    pause_reason  text COLLATE "C" NOT NULL,
    pause_ticket  text COLLATE "C" NOT NULL,
    paused_by     text COLLATE "C" NOT NULL,
    PRIMARY KEY (shard, tenant)
);

CREATE TABLE tokens (
    shard      int2 NOT NULL,
    tenant     int4 NOT NULL,
    token      int8 NOT NULL,
    name       text COLLATE "C" NOT NULL,
    hash       bytea NOT NULL,
    for_tenant int4 NOT NULL,
    scopes     int4 NOT NULL,
    job_types  text COLLATE "C" NOT NULL,
    created_at int8 NOT NULL,
    revoked_at int8 NOT NULL,
    PRIMARY KEY (shard, tenant, token)
);

-- Circuit breakers of downstream services; state: 0 closed, 1 open, 2 half-open.
CREATE TABLE breakers (
    shard       int2 NOT NULL,
    tenant      int4 NOT NULL,
    service     text COLLATE "C" NOT NULL,
    version     int4 NOT NULL,
    body        text COLLATE "C" NOT NULL,
    revision    int8 NOT NULL,
    mode        int2 NOT NULL,
    mode_until  int8 NOT NULL,
    reason      text COLLATE "C" NOT NULL,
    ticket      text COLLATE "C" NOT NULL,
    set_by      text COLLATE "C" NOT NULL,
    state       int2 NOT NULL,
    changed_at  int8 NOT NULL,
    until       int8 NOT NULL,
    opens       int4 NOT NULL,
    in_a_row    int4 NOT NULL,
    probes_well int4 NOT NULL,
    probes_ill  int4 NOT NULL,
    evidence    text COLLATE "C" NOT NULL,
    workers     text COLLATE "C" NOT NULL,
    probes      text COLLATE "C" NOT NULL,
    PRIMARY KEY (shard, tenant, service)
) WITH (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

-- What tenants share; rows of the system tenant. policy: enum quota_policy of core/quota.h.
CREATE TABLE quota_groups (
    shard       int2 NOT NULL,
    tenant      int4 NOT NULL,
    quota_group int4 NOT NULL,
    name        text COLLATE "C" NOT NULL,
    version     int4 NOT NULL,
    policy      int2 NOT NULL,
    capacity    int4 NOT NULL,
    weight      int4 NOT NULL,
    members     int8 NOT NULL,
    nominal     int8 NOT NULL,
    floors      int8 NOT NULL,
    in_use      int8 NOT NULL,
    unlent      int8 NOT NULL,
    charged     int8 NOT NULL,
    lift        int8 NOT NULL,
    PRIMARY KEY (shard, tenant, quota_group)
) WITH (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE quota_members (
    shard        int2 NOT NULL,
    tenant       int4 NOT NULL,
    member       int4 NOT NULL,
    quota_group  int4 NOT NULL,
    version      int4 NOT NULL,
    nominal      int4 NOT NULL,
    borrow_limit int4 NOT NULL,
    lend_limit   int4 NOT NULL,
    hard_max     int4 NOT NULL,
    floor        int4 NOT NULL,
    class        int2 NOT NULL,
    burst_s      int8 NOT NULL,
    refill_s     int8 NOT NULL,
    burst_left   int8 NOT NULL,
    burst_at     int8 NOT NULL,
    in_use       int8 NOT NULL,
    charged      int8 NOT NULL,
    PRIMARY KEY (shard, tenant, member)
) WITH (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX quota_members_by_group ON quota_members (shard, tenant, quota_group, member);

CREATE TABLE lanes (
    shard       int2 NOT NULL,
    tenant      int4 NOT NULL,
    lane        int4 NOT NULL,
    job_type    text COLLATE "C" NOT NULL,
    source      text COLLATE "C" NOT NULL,
    waiting     int8 NOT NULL,
    inflight    int8 NOT NULL,
    rank        int8 NOT NULL,
    open_at     int8 NOT NULL,
    hold        int2 NOT NULL,
    estimate_ms int4 NOT NULL,
    calls       int8 NOT NULL,
    calls_since int8 NOT NULL,
    PRIMARY KEY (shard, tenant, lane)
) WITH (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE throttles (
    shard           int2 NOT NULL,
    tenant          int4 NOT NULL,
    host            text COLLATE "C" NOT NULL,
    level_micro     int8 NOT NULL,
    rate_milli      int8 NOT NULL,
    burst           int8 NOT NULL,
    refilled_at     int8 NOT NULL,
    blocked_until   int8 NOT NULL,
    penalty_ms      int8 NOT NULL,
    base_milli      int8 NOT NULL,
    hint_milli      int8 NOT NULL,
    hint_until      int8 NOT NULL,
    grown_at        int8 NOT NULL,
    used            int8 NOT NULL,
    throttled_at    int8 NOT NULL,
    incidents       int4 NOT NULL,
    origin          int2 NOT NULL,
    version         int4 NOT NULL,
    set_until       int8 NOT NULL,
    set_rate_milli  int8 NOT NULL,
    set_burst       int8 NOT NULL,
    set_block_until int8 NOT NULL,
    set_at          int8 NOT NULL,
    set_by          text COLLATE "C" NOT NULL,
    set_reason      text COLLATE "C" NOT NULL,
    PRIMARY KEY (shard, tenant, host)
) WITH (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE runs (
    shard        int2 NOT NULL,
    tenant       int4 NOT NULL,
    run          int8 NOT NULL,
    name         text COLLATE "C" NOT NULL,
    digest       bytea NOT NULL,
    submitted_at int8 NOT NULL,
    ended_at     int8 NOT NULL,
    state        int2 NOT NULL,
    total        int4 NOT NULL,
    present      int4 NOT NULL,
    blocked      int4 NOT NULL,
    leased       int4 NOT NULL,
    succeeded    int4 NOT NULL,
    dead         int4 NOT NULL,
    canceled     int4 NOT NULL,
    PRIMARY KEY (shard, tenant, run)
);

CREATE TABLE jobs (
    shard        int2 NOT NULL,
    tenant       int4 NOT NULL,
    job          int8 NOT NULL,
    run          int8 NOT NULL,
    lane         int4 NOT NULL,
    priority     int2 NOT NULL,
    rank         int8 NOT NULL,
    submitted_at int8 NOT NULL,
    submit_seq   int8 NOT NULL,
    replay_of    int8 NOT NULL,
    name         text COLLATE "C" NOT NULL,
    key          text COLLATE "C" NOT NULL,
    digest       bytea NOT NULL,
    traceparent  text COLLATE "C" NOT NULL,
    payload      bytea NOT NULL,
    PRIMARY KEY (shard, tenant, job)
);

CREATE TABLE job_keys (
    shard      int2 NOT NULL,
    tenant     int4 NOT NULL,
    generation int4 NOT NULL,
    hash       int8 NOT NULL,
    job        int8 NOT NULL,
    PRIMARY KEY (shard, tenant, generation, hash, job)
);

CREATE TABLE run_keys (
    shard  int2 NOT NULL,
    tenant int4 NOT NULL,
    key    text COLLATE "C" NOT NULL,
    run    int8 NOT NULL,
    PRIMARY KEY (shard, tenant, key)
);

CREATE TABLE dag_edges (
    shard  int2 NOT NULL,
    tenant int4 NOT NULL,
    run    int8 NOT NULL,
    pred   int8 NOT NULL,
    succ   int8 NOT NULL,
    kind   int2 NOT NULL,
    PRIMARY KEY (shard, tenant, pred, succ)
);

CREATE TABLE blocked (
    shard        int2 NOT NULL,
    tenant       int4 NOT NULL,
    job          int8 NOT NULL,
    lane         int4 NOT NULL,
    rank         int8 NOT NULL,
    run          int8 NOT NULL,
    flags        int2 NOT NULL,
    priority     int2 NOT NULL,
    "grant"      int8 NOT NULL,
    spent        int4 NOT NULL,
    job_seq      int4 NOT NULL,
    throttled_ms int8 NOT NULL,
    remaining    int4 NOT NULL,
    delay_us     int8 NOT NULL,
    PRIMARY KEY (shard, tenant, job)
) WITH (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

-- Found by lane, rank and job only: the jobs row knows the first two. One index is enough.
CREATE TABLE ready (
    shard        int2 NOT NULL,
    tenant       int4 NOT NULL,
    job          int8 NOT NULL,
    lane         int4 NOT NULL,
    rank         int8 NOT NULL,
    run          int8 NOT NULL,
    flags        int2 NOT NULL,
    priority     int2 NOT NULL,
    "grant"      int8 NOT NULL,
    spent        int4 NOT NULL,
    job_seq      int4 NOT NULL,
    throttled_ms int8 NOT NULL,
    eligible_at  int8 NOT NULL,
    PRIMARY KEY (shard, tenant, lane, rank, job)
) WITH (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE delayed (
    shard        int2 NOT NULL,
    tenant       int4 NOT NULL,
    job          int8 NOT NULL,
    lane         int4 NOT NULL,
    rank         int8 NOT NULL,
    run          int8 NOT NULL,
    flags        int2 NOT NULL,
    priority     int2 NOT NULL,
    "grant"      int8 NOT NULL,
    spent        int4 NOT NULL,
    job_seq      int4 NOT NULL,
    throttled_ms int8 NOT NULL,
    due_at       int8 NOT NULL,
    reason       int2 NOT NULL,
    PRIMARY KEY (shard, tenant, job)
) WITH (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE start_deadlines (
    shard  int2 NOT NULL,
    tenant int4 NOT NULL,
    due_at int8 NOT NULL,
    job    int8 NOT NULL,
    PRIMARY KEY (shard, due_at, tenant, job)
) WITH (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

-- A heartbeat changes until, due_at and progress: none of them is in an index, so that it stays
-- within its page (HOT). The due ones are found by reading the shard's leases, which are few.
CREATE TABLE leased (
    shard          int2 NOT NULL,
    tenant         int4 NOT NULL,
    job            int8 NOT NULL,
    lane           int4 NOT NULL,
    rank           int8 NOT NULL,
    run            int8 NOT NULL,
    flags          int2 NOT NULL,
    priority       int2 NOT NULL,
    "grant"        int8 NOT NULL,
    spent          int4 NOT NULL,
    job_seq        int4 NOT NULL,
    throttled_ms   int8 NOT NULL,
    running        bool NOT NULL,
    worker         text COLLATE "C" NOT NULL,
    claim          int8 NOT NULL,
    claimed_at     int8 NOT NULL,
    claimed_seq    int8 NOT NULL,
    ttl_ms         int4 NOT NULL,
    charged_ms     int4 NOT NULL,
    requests       int8 NOT NULL,
    run_until      int8 NOT NULL,
    cancel_at      int8 NOT NULL,
    until          int8 NOT NULL,
    due_at         int8 NOT NULL,
    progress_at    int8 NOT NULL,
    no_progress_ms int4 NOT NULL,
    progress       text COLLATE "C" NOT NULL,
    PRIMARY KEY (shard, tenant, job)
) WITH (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE outcomes (
    shard        int2 NOT NULL,
    tenant       int4 NOT NULL,
    job          int8 NOT NULL,
    lane         int4 NOT NULL,
    rank         int8 NOT NULL,
    run          int8 NOT NULL,
    flags        int2 NOT NULL,
    priority     int2 NOT NULL,
    "grant"      int8 NOT NULL,
    spent        int4 NOT NULL,
    job_seq      int4 NOT NULL,
    throttled_ms int8 NOT NULL,
    state        int2 NOT NULL,
    class        text COLLATE "C" NOT NULL,
    cause        int8 NOT NULL,
    worker       text COLLATE "C" NOT NULL,
    claimed_at   int8 NOT NULL,
    claimed_seq  int8 NOT NULL,
    ended_at     int8 NOT NULL,
    ended_seq    int8 NOT NULL,
    digest       bytea NOT NULL,
    result       bytea NOT NULL,
    PRIMARY KEY (shard, tenant, job)
);

CREATE TABLE attempts (
    shard       int2 NOT NULL,
    tenant      int4 NOT NULL,
    job         int8 NOT NULL,
    "grant"     int8 NOT NULL,
    ending      int2 NOT NULL,
    class       text COLLATE "C" NOT NULL,
    worker      text COLLATE "C" NOT NULL,
    claimed_at  int8 NOT NULL,
    claimed_seq int8 NOT NULL,
    ended_at    int8 NOT NULL,
    ended_seq   int8 NOT NULL,
    digest      bytea NOT NULL,
    message     bytea NOT NULL,
    PRIMARY KEY (shard, tenant, job, "grant")
);

CREATE TABLE settling (
    shard      int2 NOT NULL,
    tenant     int4 NOT NULL,
    pred       int8 NOT NULL,
    mode       int2 NOT NULL,
    after_succ int8 NOT NULL,
    until_succ int8 NOT NULL,
    PRIMARY KEY (shard, tenant, pred)
) WITH (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE bulk_actions (
    shard      int2 NOT NULL,
    tenant     int4 NOT NULL,
    bulk       int8 NOT NULL,
    action     int2 NOT NULL,
    state      int2 NOT NULL,
    priority   int2 NOT NULL,
    run        int8 NOT NULL,
    selection  text COLLATE "C" NOT NULL,
    actor      text COLLATE "C" NOT NULL,
    reason     text COLLATE "C" NOT NULL,
    ticket     text COLLATE "C" NOT NULL,
    matched    int8 NOT NULL,
    stored     int8 NOT NULL,
    done       int8 NOT NULL,
    changed    int8 NOT NULL,
    already    int8 NOT NULL,
    refused    int8 NOT NULL,
    after_job  int8 NOT NULL,
    started_at int8 NOT NULL,
    ended_at   int8 NOT NULL,
    due_at     int8 NOT NULL,
    PRIMARY KEY (shard, tenant, bulk)
);

-- The few that go on; so that a tick finds whose turn it is.
CREATE INDEX bulk_actions_due ON bulk_actions (shard, due_at, tenant, bulk) WHERE due_at > 0;

CREATE TABLE bulk_parts (
    shard   int2 NOT NULL,
    tenant  int4 NOT NULL,
    bulk    int8 NOT NULL,
    first   int8 NOT NULL,
    jobs    text COLLATE "C" NOT NULL,
    results text COLLATE "C" NOT NULL,
    PRIMARY KEY (shard, tenant, bulk, first)
);

CREATE TABLE artifacts (
    shard      int2 NOT NULL,
    tenant     int4 NOT NULL,
    job        int8 NOT NULL,
    role       int2 NOT NULL,
    name       text COLLATE "C" NOT NULL,
    "grant"    int8 NOT NULL,
    run        int8 NOT NULL,
    sha256     bytea NOT NULL,
    size       int8 NOT NULL,
    media_type text COLLATE "C" NOT NULL,
    PRIMARY KEY (shard, tenant, job, role, name)
);

CREATE TABLE request_keys (
    shard    int2 NOT NULL,
    tenant   int4 NOT NULL,
    key      text COLLATE "C" NOT NULL,
    digest   bytea NOT NULL,
    at       int8 NOT NULL,
    status   int2 NOT NULL,
    location text COLLATE "C" NOT NULL,
    answer   bytea NOT NULL,
    PRIMARY KEY (shard, tenant, key)
);

-- Job logs, beside history.
CREATE TABLE log_heads (
    shard   int2 NOT NULL,
    tenant  int4 NOT NULL,
    job     int8 NOT NULL,
    "grant" int8 NOT NULL,
    lines   int8 NOT NULL,
    bytes   int8 NOT NULL,
    cut     bool NOT NULL,
    stored  int8 NOT NULL,
    PRIMARY KEY (shard, tenant, job)
);

CREATE TABLE job_logs (
    shard   int2 NOT NULL,
    tenant  int4 NOT NULL,
    job     int8 NOT NULL,
    "grant" int8 NOT NULL,
    first   int8 NOT NULL,
    skip    int4 NOT NULL,
    count   int4 NOT NULL,
    at      int8 NOT NULL,
    raw_len int8 NOT NULL,
    lines   bytea NOT NULL,
    PRIMARY KEY (shard, tenant, job, "grant", first)
);
ALTER TABLE job_logs ALTER COLUMN lines SET STORAGE EXTERNAL;

-- Blobs are asked for by tenant alone: artifacts of a tenant wherever its shard is.
CREATE TABLE blobs (
    tenant     int4 NOT NULL,
    sha256     bytea NOT NULL,
    size       int8 NOT NULL,
    used_at    int8 NOT NULL, -- Put or told of last, within a minute.
    PRIMARY KEY (tenant, sha256)
);

CREATE TABLE blob_parts (
    tenant int4 NOT NULL,
    sha256 bytea NOT NULL,
    part   int4 NOT NULL,
    bytes  bytea NOT NULL,
    PRIMARY KEY (tenant, sha256, part)
);
ALTER TABLE blob_parts ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- Control tables and resent claims are looked up before the tenant is known.
CREATE INDEX tenant_names_name ON tenant_names (name);
CREATE INDEX tokens_hash ON tokens (hash);
CREATE INDEX leased_claim ON leased (claim);
CREATE INDEX lanes_name ON lanes (shard, tenant, job_type, source, lane);
-- Held lanes (open_at in the future) lie behind the open ones, so they cost a claim nothing.
-- waiting and rank change with every tick and stay out of it: updates of a lane stay in its page.
CREATE INDEX lanes_open ON lanes (shard, tenant, open_at);
CREATE INDEX runs_state ON runs (shard, tenant, state, run);
CREATE INDEX jobs_run ON jobs (shard, tenant, run, job) WHERE run > 0;
CREATE INDEX dag_edges_succ ON dag_edges (shard, tenant, succ, pred);
CREATE INDEX delayed_due ON delayed (shard, due_at, tenant, job);
CREATE INDEX throttles_due ON throttles (shard, set_until, tenant, host) WHERE set_until > 0;
-- The bulk of a ledger has succeeded (5): it is listed by walking the key.
CREATE INDEX outcomes_bad ON outcomes (shard, tenant, state, job) WHERE state <> 5;
-- Nearly empty: ended after retention had passed them (JOB_LATE).
CREATE INDEX outcomes_late ON outcomes (shard, tenant, ended_at, job) WHERE flags & 32 > 0;
CREATE INDEX request_keys_at ON request_keys (shard, tenant, at, key);
CREATE INDEX artifacts_run ON artifacts (shard, tenant, run, job, role, name) WHERE run > 0;
CREATE INDEX artifacts_sha256 ON artifacts (shard, tenant, sha256);

-- A job as the API shows it: what was asked, and the one row that says where it is now.
-- state is enum job_state: blocked 1, pending 2, leased 3, running 4, ended 5..7. Each row is looked
-- up by key (LATERAL, LIMIT, as in load.sql): as plain joins a plan made while ready was empty
-- walked all waiting jobs of the tenant for each job of a page.
CREATE VIEW job_objects WITH (security_invoker = true) AS
SELECT j.shard AS shard, j.tenant AS tenant, j.job AS job, j.run AS run, j.lane AS lane,
       n.job_type AS job_type, n.source AS source, j.name AS name, j.key AS key,
       j.submitted_at AS submitted_at, j.submit_seq AS submit_seq, j.replay_of AS replay_of,
       j.rank AS rank,
       CASE WHEN e.job IS NOT NULL THEN e.state WHEN l.job IS NOT NULL THEN 3 + l.running::int4
            WHEN r.job IS NOT NULL OR d.job IS NOT NULL THEN 2 WHEN b.job IS NOT NULL THEN 1
            ELSE 0 END AS state,
       coalesce(e.priority, l.priority, r.priority, d.priority, b.priority, j.priority) AS priority,
       coalesce(e."grant", l."grant", r."grant", d."grant", b."grant", 0) AS grant_no,
       coalesce(e.spent, l.spent, r.spent, d.spent, b.spent, 0) AS spent,
       coalesce(e.flags, l.flags, r.flags, d.flags, b.flags, 0) AS flags,
       coalesce(e.job_seq, l.job_seq, r.job_seq, d.job_seq, b.job_seq, 0) AS job_seq,
       coalesce(e.throttled_ms, l.throttled_ms, r.throttled_ms, d.throttled_ms, b.throttled_ms,
                0) AS throttled_ms,
       b.remaining AS remaining, r.eligible_at AS eligible_at,
       d.due_at AS delayed_until, d.reason AS delayed_reason,
       n.hold AS lane_hold, n.open_at AS lane_open_at,
       coalesce(e.worker, l.worker) AS worker, coalesce(e.claimed_at, l.claimed_at) AS claimed_at,
       coalesce(e.claimed_seq, l.claimed_seq) AS claimed_seq,
       l.until AS leased_until, l.cancel_at AS cancel_at, l.progress_at AS progress_at,
       l.progress AS progress,
       e.class AS class, e.cause AS cause, e.ended_at AS ended_at, e.ended_seq AS ended_seq,
       e.result AS result
FROM jobs AS j
LEFT JOIN LATERAL (
    SELECT x.* FROM lanes AS x
    WHERE x.shard = j.shard AND x.tenant = j.tenant AND x.lane BETWEEN j.lane AND j.lane
    ORDER BY x.lane LIMIT 1) AS n ON true
LEFT JOIN LATERAL (
    SELECT x.* FROM outcomes AS x
    WHERE x.shard = j.shard AND x.tenant = j.tenant AND x.job = j.job LIMIT 1) AS e ON true
LEFT JOIN LATERAL (
    SELECT x.* FROM leased AS x
    WHERE x.shard = j.shard AND x.tenant = j.tenant AND x.job = j.job LIMIT 1) AS l ON true
LEFT JOIN LATERAL (
    SELECT x.* FROM ready AS x
    WHERE x.shard = j.shard AND x.tenant = j.tenant AND x.lane = j.lane AND x.rank = j.rank
      AND x.job = j.job LIMIT 1) AS r ON true
LEFT JOIN LATERAL (
    SELECT x.* FROM delayed AS x
    WHERE x.shard = j.shard AND x.tenant = j.tenant AND x.job BETWEEN j.job AND j.job
    ORDER BY x.job LIMIT 1) AS d ON true
LEFT JOIN LATERAL (
    SELECT x.* FROM blocked AS x
    WHERE x.shard = j.shard AND x.tenant = j.tenant AND x.job = j.job LIMIT 1) AS b ON true;

INSERT INTO ledger (one, schema_version, seed, created_at)
VALUES (1, 1, uuid_send(gen_random_uuid()),
        (extract(epoch FROM clock_timestamp()) * 1000000)::int8);

INSERT INTO shards (
    shard, tick, last_at, next_due_at, available_since, lapse_allowance, lapse_refill_at, head_seq)
SELECT g::int2, 0, 0, 9223372036854775807, 0, 0, 0, 0
FROM generate_series(0, 63) AS g;

-- Row security. The engine sees the shards it has named in this transaction; a reader sees its
-- tenant, and across tenants only by a policy of its own, when it says so with tenant 0. A setting
-- that is absent or empty shows nothing.
--
-- The casts of shard and tenant keep these conditions out of index scans: which index is used is
-- for the statement to say, which names shard and tenant too. The sub-selects are evaluated once a
-- statement.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'shards', 'ticks', 'tenants', 'tenant_names', 'job_types', 'sources', 'config_versions',
        'workers', 'installation', 'tokens', 'breakers', 'quota_groups', 'quota_members',
        'lanes', 'throttles', 'runs', 'jobs', 'job_keys', 'run_keys', 'dag_edges',
        'blocked', 'ready', 'delayed', 'start_deadlines', 'leased', 'outcomes', 'attempts',
        'settling', 'bulk_actions', 'bulk_parts', 'artifacts', 'request_keys', 'log_heads',
        'job_logs', 'history']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY engine_by_shard ON %I TO stella_engine USING (
            shard::int4 = ANY ((SELECT
                nullif(current_setting(''stella.shards'', true), '''')::int4[])::int4[]))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO stella_engine', name);
        EXECUTE format('GRANT SELECT ON %I TO stella_reader', name);
    END LOOP;

    -- The installation's defaults, of the system tenant in shard 63, hold for every tenant; they
    -- are read without its lock.
    FOREACH name IN ARRAY ARRAY[
        'tenants', 'job_types', 'sources', 'workers', 'installation', 'breakers']
    LOOP
        EXECUTE format('CREATE POLICY engine_defaults ON %I FOR SELECT TO stella_engine USING (
            shard::int4 = 63 AND tenant::int8 = 1)', name);
        EXECUTE format('CREATE POLICY reader_defaults ON %I FOR SELECT TO stella_reader USING (
            shard::int4 = 63 AND tenant::int8 = 1)', name);
    END LOOP;

    FOREACH name IN ARRAY ARRAY[
        'tenants', 'tenant_names', 'job_types', 'sources', 'config_versions', 'workers',
        'installation', 'tokens', 'breakers', 'quota_groups', 'quota_members', 'lanes', 'throttles',
        'runs', 'jobs', 'job_keys', 'run_keys', 'dag_edges', 'blocked', 'ready', 'delayed',
        'start_deadlines', 'leased', 'outcomes', 'attempts', 'settling',
        'bulk_actions', 'bulk_parts', 'artifacts', 'request_keys', 'log_heads', 'job_logs', 'history']
    LOOP
        EXECUTE format('CREATE POLICY reader_by_tenant ON %I FOR SELECT TO stella_reader USING (
            tenant::int8 = (SELECT nullif(current_setting(''stella.tenant'', true), '''')::int8))',
            name);
        EXECUTE format('CREATE POLICY reader_across ON %I FOR SELECT TO stella_reader USING (
            (SELECT current_setting(''stella.tenant'', true)) = ''0'')', name);
    END LOOP;

    -- Why a job waits is told with the state of its group and with the tenant's own part in it.
    CREATE POLICY reader_shared ON quota_groups FOR SELECT TO stella_reader USING (
        shard::int4 = 63 AND tenant::int8 = 1);
    CREATE POLICY reader_own ON quota_members FOR SELECT TO stella_reader USING (
        member::int8 = (SELECT nullif(current_setting('stella.tenant', true), '')::int8));

    -- Of shards and their clocks there is nothing that a tenant may not know.
    FOREACH name IN ARRAY ARRAY['shards', 'ticks']
    LOOP
        EXECUTE format('CREATE POLICY reader ON %I FOR SELECT TO stella_reader USING (true)', name);
    END LOOP;

    FOREACH name IN ARRAY ARRAY['blobs', 'blob_parts']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY engine_by_tenant ON %I TO stella_engine USING (
            tenant::int8 = (SELECT nullif(current_setting(''stella.tenant'', true), '''')::int8))',
            name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO stella_engine', name);
    END LOOP;
END
$$;

-- What was written once stays: no grant to change or remove it.
REVOKE INSERT, DELETE ON shards FROM stella_engine;
REVOKE UPDATE ON ticks FROM stella_engine;
REVOKE UPDATE, DELETE ON history FROM stella_engine;
GRANT SELECT ON ledger TO stella_engine, stella_reader;
GRANT SELECT ON job_objects TO stella_reader;
GRANT USAGE ON SCHEMA stella TO stella_engine, stella_reader;
