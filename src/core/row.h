/* core/row - what every row begins with, and the tables there are. */
#ifndef CORE_ROW_H
#define CORE_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* In the order in which a plan is applied. */
enum table_id {
    TABLE_SHARDS,
    TABLE_TENANTS,
    TABLE_TENANT_NAMES,
    TABLE_JOB_TYPES,
    TABLE_SOURCES,
    TABLE_CONFIG_VERSIONS,
    TABLE_WORKERS,
    TABLE_INSTALLATION,
    TABLE_TOKENS,
    TABLE_BREAKERS,
    TABLE_QUOTA_GROUPS,
    TABLE_QUOTA_MEMBERS,
    TABLE_LANES,
    TABLE_THROTTLES,
    TABLE_RUNS,
    TABLE_JOBS,
    TABLE_JOB_KEYS,
    TABLE_RUN_KEYS,
    TABLE_DAG_EDGES,
    TABLE_BLOCKED,
    TABLE_READY,
    TABLE_DELAYED,
    TABLE_START_DEADLINES,
    TABLE_LEASED,
    TABLE_OUTCOMES,
    TABLE_ATTEMPTS,
    TABLE_SETTLING,
    TABLE_BULK_ACTIONS,
    TABLE_BULK_PARTS,
    TABLE_ARTIFACTS,
    TABLE_REQUEST_KEYS,
    TABLE_LOG_HEADS,
    TABLE_JOB_LOGS,
    TABLE_COUNT
};

enum row_state {
    ROW_CLEAN,   /* As loaded. */
    ROW_NEW,     /* To be inserted. */
    ROW_CHANGED, /* To be updated: every column but the key. */
    ROW_GONE,    /* To be deleted. */
    ROW_VOID,    /* Made and deleted within this tick: nothing to write. */
};

/* First member of every row. */
struct row {
    uint8_t table;   /* enum table_id */
    uint8_t state;   /* enum row_state */
    bool listed;     /* Already in the plan's list. */
    int64_t locator; /* The backend's own handle (a ctid); 0 when it has none. */
};

#endif
