-- name: schema_001
-- Tables without rowid: the key is the place, one B-tree a table. Columns are in the order of
-- core/tables.c; a secondary index exists only where a load or a listing needs it.

CREATE TABLE ledger (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    schema_version INTEGER NOT NULL,
    seed BLOB NOT NULL CHECK (length(seed) = 16),
    created_at INTEGER NOT NULL
) STRICT;

-- Groups that committed of late, so that ledger_was_committed() can answer.
CREATE TABLE ticks (
    shard INTEGER NOT NULL,
    at INTEGER NOT NULL,
    group_id INTEGER NOT NULL,
    PRIMARY KEY (shard, at, group_id)
) STRICT, WITHOUT ROWID;

-- One compressed chunk a tenant and tick; tenant 0: the shard's log.
CREATE TABLE history (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    count INTEGER NOT NULL,
    at INTEGER NOT NULL,
    raw_len INTEGER NOT NULL,
    lines BLOB NOT NULL,
    PRIMARY KEY (shard, tenant, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE shards (
    shard INTEGER NOT NULL,
    tick INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    next_due_at INTEGER NOT NULL,
    available_since INTEGER NOT NULL,
    lapse_allowance INTEGER NOT NULL,
    lapse_refill_at INTEGER NOT NULL,
    head_seq INTEGER NOT NULL,
    PRIMARY KEY (shard)
) STRICT, WITHOUT ROWID;

CREATE TABLE tenants (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    max_inflight INTEGER NOT NULL,
    max_live INTEGER NOT NULL,
    version INTEGER NOT NULL,
    config_version INTEGER NOT NULL,
    head_seq INTEGER NOT NULL,
    next_job INTEGER NOT NULL,
    next_run INTEGER NOT NULL,
    next_lane INTEGER NOT NULL,
    charged INTEGER NOT NULL,
    lift INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    inflight INTEGER NOT NULL,
    live INTEGER NOT NULL,
    key_generation INTEGER NOT NULL,
    key_oldest INTEGER NOT NULL,
    key_turned_at INTEGER NOT NULL,
    erased_to INTEGER NOT NULL,
    next_bulk INTEGER NOT NULL,
    quota_group INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant)
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant_names (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    named INTEGER NOT NULL,
    home_shard INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_types (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (shard, tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (shard, tenant, name)
) STRICT, WITHOUT ROWID;

-- What job types (kind 0) and sources (kind 1) were, at each version.
CREATE TABLE config_versions (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (shard, tenant, kind, name, version)
) STRICT, WITHOUT ROWID;

-- state: 0 active, 1 draining, 2 quarantined. seen_at and offset_ms are soft.
CREATE TABLE workers (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    state INTEGER NOT NULL,
    reason TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    version TEXT NOT NULL,
    slots INTEGER NOT NULL,
    job_types TEXT NOT NULL,
    registered_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    offset_ms INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE installation (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    version INTEGER NOT NULL,
    grant_floor INTEGER NOT NULL,
    restored_at INTEGER NOT NULL,
    restored_from TEXT NOT NULL,
    paused_since INTEGER NOT NULL,
    pause_reason TEXT NOT NULL,
    pause_ticket TEXT NOT NULL,
    paused_by TEXT NOT NULL,
    PRIMARY KEY (shard, tenant)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    token INTEGER NOT NULL,
    name TEXT NOT NULL,
    hash BLOB NOT NULL,
    for_tenant INTEGER NOT NULL,
    scopes INTEGER NOT NULL,
    job_types TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, token)
) STRICT, WITHOUT ROWID;

-- Circuit breakers of downstream services; state: 0 closed, 1 open, 2 half-open.
CREATE TABLE breakers (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    service TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    revision INTEGER NOT NULL,
    mode INTEGER NOT NULL,
    mode_until INTEGER NOT NULL,
    reason TEXT NOT NULL,
    ticket TEXT NOT NULL,
    set_by TEXT NOT NULL,
    state INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    opens INTEGER NOT NULL,
    in_a_row INTEGER NOT NULL,
    probes_well INTEGER NOT NULL,
    probes_ill INTEGER NOT NULL,
    evidence TEXT NOT NULL,
    workers TEXT NOT NULL,
    probes TEXT NOT NULL,
    PRIMARY KEY (shard, tenant, service)
) STRICT, WITHOUT ROWID;

-- What tenants share; rows of the system tenant. policy: enum quota_policy of core/quota.h.
CREATE TABLE quota_groups (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    quota_group INTEGER NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    policy INTEGER NOT NULL,
    capacity INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    members INTEGER NOT NULL,
    nominal INTEGER NOT NULL,
    floors INTEGER NOT NULL,
    in_use INTEGER NOT NULL,
    unlent INTEGER NOT NULL,
    charged INTEGER NOT NULL,
    lift INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, quota_group)
) STRICT, WITHOUT ROWID;

CREATE TABLE quota_members (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    member INTEGER NOT NULL,
    quota_group INTEGER NOT NULL,
    version INTEGER NOT NULL,
    nominal INTEGER NOT NULL,
    borrow_limit INTEGER NOT NULL,
    lend_limit INTEGER NOT NULL,
    hard_max INTEGER NOT NULL,
    floor INTEGER NOT NULL,
    class INTEGER NOT NULL,
    burst_s INTEGER NOT NULL,
    refill_s INTEGER NOT NULL,
    burst_left INTEGER NOT NULL,
    burst_at INTEGER NOT NULL,
    in_use INTEGER NOT NULL,
    charged INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, member)
) STRICT, WITHOUT ROWID;

CREATE INDEX quota_members_by_group ON quota_members (shard, tenant, quota_group, member);

CREATE TABLE lanes (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    job_type TEXT NOT NULL,
    source TEXT NOT NULL,
    waiting INTEGER NOT NULL,
    inflight INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    open_at INTEGER NOT NULL,
    hold INTEGER NOT NULL,
    estimate_ms INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    calls_since INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, lane)
) STRICT, WITHOUT ROWID;

CREATE TABLE throttles (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    host TEXT NOT NULL,
    level_micro INTEGER NOT NULL,
    rate_milli INTEGER NOT NULL,
    burst INTEGER NOT NULL,
    refilled_at INTEGER NOT NULL,
    blocked_until INTEGER NOT NULL,
    penalty_ms INTEGER NOT NULL,
    base_milli INTEGER NOT NULL,
    hint_milli INTEGER NOT NULL,
    hint_until INTEGER NOT NULL,
    grown_at INTEGER NOT NULL,
    used INTEGER NOT NULL,
    throttled_at INTEGER NOT NULL,
    incidents INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    version INTEGER NOT NULL,
    set_until INTEGER NOT NULL,
    set_rate_milli INTEGER NOT NULL,
    set_burst INTEGER NOT NULL,
    set_block_until INTEGER NOT NULL,
    set_at INTEGER NOT NULL,
    set_by TEXT NOT NULL,
    set_reason TEXT NOT NULL,
    PRIMARY KEY (shard, tenant, host)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    submitted_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    state INTEGER NOT NULL,
    total INTEGER NOT NULL,
    present INTEGER NOT NULL,
    blocked INTEGER NOT NULL,
    leased INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    dead INTEGER NOT NULL,
    canceled INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, run)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    job INTEGER NOT NULL,
    run INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    submitted_at INTEGER NOT NULL,
    submit_seq INTEGER NOT NULL,
    replay_of INTEGER NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    digest BLOB NOT NULL,
    traceparent TEXT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (shard, tenant, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_keys (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    job INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, generation, hash, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_keys (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    key TEXT NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE dag_edges (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    run INTEGER NOT NULL,
    pred INTEGER NOT NULL,
    succ INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, pred, succ)
) STRICT, WITHOUT ROWID;

CREATE TABLE blocked (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    job INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    run INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    grant INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    job_seq INTEGER NOT NULL,
    throttled_ms INTEGER NOT NULL,
    remaining INTEGER NOT NULL,
    delay_us INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE ready (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    job INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    run INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    grant INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    job_seq INTEGER NOT NULL,
    throttled_ms INTEGER NOT NULL,
    eligible_at INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, lane, rank, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE delayed (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    job INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    run INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    grant INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    job_seq INTEGER NOT NULL,
    throttled_ms INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    reason INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE start_deadlines (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    job INTEGER NOT NULL,
    PRIMARY KEY (shard, due_at, tenant, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE leased (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    job INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    run INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    grant INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    job_seq INTEGER NOT NULL,
    throttled_ms INTEGER NOT NULL,
    running INTEGER NOT NULL,
    worker TEXT NOT NULL,
    claim INTEGER NOT NULL,
    claimed_at INTEGER NOT NULL,
    claimed_seq INTEGER NOT NULL,
    ttl_ms INTEGER NOT NULL,
    charged_ms INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    run_until INTEGER NOT NULL,
    cancel_at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    progress_at INTEGER NOT NULL,
    no_progress_ms INTEGER NOT NULL,
    progress TEXT NOT NULL,
    PRIMARY KEY (shard, tenant, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE outcomes (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    job INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    run INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    grant INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    job_seq INTEGER NOT NULL,
    throttled_ms INTEGER NOT NULL,
    state INTEGER NOT NULL,
    class TEXT NOT NULL,
    cause INTEGER NOT NULL,
    worker TEXT NOT NULL,
    claimed_at INTEGER NOT NULL,
    claimed_seq INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    ended_seq INTEGER NOT NULL,
    digest BLOB NOT NULL,
    result BLOB NOT NULL,
    PRIMARY KEY (shard, tenant, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    job INTEGER NOT NULL,
    grant INTEGER NOT NULL,
    ending INTEGER NOT NULL,
    class TEXT NOT NULL,
    worker TEXT NOT NULL,
    claimed_at INTEGER NOT NULL,
    claimed_seq INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    ended_seq INTEGER NOT NULL,
    digest BLOB NOT NULL,
    message BLOB NOT NULL,
    PRIMARY KEY (shard, tenant, job, grant)
) STRICT, WITHOUT ROWID;

CREATE TABLE settling (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    pred INTEGER NOT NULL,
    mode INTEGER NOT NULL,
    after_succ INTEGER NOT NULL,
    until_succ INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, pred)
) STRICT, WITHOUT ROWID;

CREATE TABLE bulk_actions (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    bulk INTEGER NOT NULL,
    action INTEGER NOT NULL,
    state INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    run INTEGER NOT NULL,
    selection TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    ticket TEXT NOT NULL,
    matched INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    done INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    already INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    after_job INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, bulk)
) STRICT, WITHOUT ROWID;

-- The few that go on; so that a tick finds whose turn it is.
CREATE INDEX bulk_actions_due ON bulk_actions (shard, due_at, tenant, bulk) WHERE due_at > 0;

CREATE TABLE bulk_parts (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    bulk INTEGER NOT NULL,
    first INTEGER NOT NULL,
    jobs TEXT NOT NULL,
    results TEXT NOT NULL,
    PRIMARY KEY (shard, tenant, bulk, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifacts (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    job INTEGER NOT NULL,
    role INTEGER NOT NULL,
    name TEXT NOT NULL,
    grant INTEGER NOT NULL,
    run INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    PRIMARY KEY (shard, tenant, job, role, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE request_keys (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    key TEXT NOT NULL,
    digest BLOB NOT NULL,
    at INTEGER NOT NULL,
    status INTEGER NOT NULL,
    location TEXT NOT NULL,
    answer BLOB NOT NULL,
    PRIMARY KEY (shard, tenant, key)
) STRICT, WITHOUT ROWID;

-- Job logs, beside history.
CREATE TABLE log_heads (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    job INTEGER NOT NULL,
    grant INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    cut INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    PRIMARY KEY (shard, tenant, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_logs (
    shard INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    job INTEGER NOT NULL,
    grant INTEGER NOT NULL,
    first INTEGER NOT NULL,
    skip INTEGER NOT NULL,
    count INTEGER NOT NULL,
    at INTEGER NOT NULL,
    raw_len INTEGER NOT NULL,
    lines BLOB NOT NULL,
    PRIMARY KEY (shard, tenant, job, grant, first)
) STRICT, WITHOUT ROWID;

CREATE INDEX tenant_names_name ON tenant_names (name);
CREATE INDEX tokens_hash ON tokens (hash);
CREATE INDEX lanes_name ON lanes (shard, tenant, job_type, source);
CREATE INDEX lanes_source ON lanes (shard, tenant, source);
-- Held lanes (open_at in the future) lie behind the open ones, so they cost a claim nothing.
CREATE INDEX lanes_open ON lanes (shard, tenant, job_type, open_at, rank, lane) WHERE waiting > 0;
CREATE INDEX lanes_busy ON lanes (shard, tenant, job_type) WHERE inflight > 0;
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
-- state is enum job_state: blocked 1, pending 2, leased 3, running 4, ended 5..7.
CREATE VIEW job_objects AS
SELECT j.shard AS shard, j.tenant AS tenant, j.job AS job, j.run AS run, j.lane AS lane,
       n.job_type AS job_type, n.source AS source, j.name AS name, j.key AS key,
       j.submitted_at AS submitted_at, j.submit_seq AS submit_seq, j.replay_of AS replay_of,
       j.rank AS rank,
       CASE WHEN e.job IS NOT NULL THEN e.state WHEN l.job IS NOT NULL THEN 3 + l.running
            WHEN r.job IS NOT NULL OR d.job IS NOT NULL THEN 2 WHEN b.job IS NOT NULL THEN 1
            ELSE 0 END AS state,
       coalesce(e.priority, l.priority, r.priority, d.priority, b.priority, j.priority) AS priority,
       coalesce(e.grant, l.grant, r.grant, d.grant, b.grant, 0) AS grant_no,
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
LEFT JOIN lanes AS n ON n.shard = j.shard AND n.tenant = j.tenant AND n.lane = j.lane
LEFT JOIN outcomes AS e ON e.shard = j.shard AND e.tenant = j.tenant AND e.job = j.job
LEFT JOIN leased AS l ON l.shard = j.shard AND l.tenant = j.tenant AND l.job = j.job
LEFT JOIN ready AS r ON r.shard = j.shard AND r.tenant = j.tenant AND r.lane = j.lane
  AND r.rank = j.rank AND r.job = j.job
LEFT JOIN delayed AS d ON d.shard = j.shard AND d.tenant = j.tenant AND d.job = j.job
LEFT JOIN blocked AS b ON b.shard = j.shard AND b.tenant = j.tenant AND b.job = j.job;
