/* api/explains - explanations of several jobs from one snapshot. */
#ifndef API_EXPLAINS_H
#define API_EXPLAINS_H

#include "api/call.h"
#include "query/explained.h"

/* Explains each of `items`, of the call's tenant; *out_as_of is the snapshot's time. */
enum err_code read_explained(struct call *call, struct reader *reader, enum explain_depth depth,
                             struct explained *items, size_t count, int64_t *out_as_of);

#endif
