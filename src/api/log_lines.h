/* api/log_lines - the "log" member of heartbeats and reports. */
#ifndef API_LOG_LINES_H
#define API_LOG_LINES_H

#include "api/scan.h"
#include "core/command.h"
#include "redact/redact.h"

/* Reads {"first","lines":[{"level","text","ago_ms"}]}; secrets are gone from what it gives. */
struct log_batch log_lines_take(struct scan *scan, const struct redact_rules *rules);

#endif
