/*
 * api/bulk_records - bulk actions as records: one, pages of them and of their results, the end of
 * one that is under way.
 */
#ifndef API_BULK_RECORDS_H
#define API_BULK_RECORDS_H

#include "api/call.h"

/* Answers with the record: 202 with its Location while it is under way, else 200. With
 * `Prefer: wait` not before its end, or the wait's. */
void answer_bulk(struct call *call, struct bulk_id bulk);

#endif
