/* core/fold_bulk - the lines about bulk actions. Used by fold.c only. */
#ifndef CORE_FOLD_BULK_H
#define CORE_FOLD_BULK_H

#include "core/fold_rows.h"

/* Each is false when the line does not fit. */
bool fold_bulk_started(struct fold *fold, const struct fold_event *e);
bool fold_bulk_stored(struct fold *fold, const struct fold_event *e);
bool fold_bulk_progressed(struct fold *fold, const struct fold_event *e);
bool fold_bulk_ended(struct fold *fold, const struct fold_event *e);
bool fold_bulk_dropped(struct fold *fold, const struct fold_event *e);

#endif
