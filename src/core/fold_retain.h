/*
 * core/fold_retain - the lines of retention, folded. Used by fold.c only.
 */
#ifndef CORE_FOLD_RETAIN_H
#define CORE_FOLD_RETAIN_H

#include "core/fold_rows.h"

bool fold_keys_turned(struct fold *fold, const struct fold_event *e);
bool fold_keys_dropped(struct fold *fold, const struct fold_event *e);
bool fold_requests_dropped(struct fold *fold, const struct fold_event *e);
bool fold_payloads_erased(struct fold *fold, const struct fold_event *e);

#endif
