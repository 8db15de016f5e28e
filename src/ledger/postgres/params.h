/*
 * ledger/postgres/params - arguments of prepared statements in PostgreSQL's binary form.
 *
 * Use      params_reset(); params_… once per argument, in order; hand it to session_send(), which
 *          copies the bytes; then reset and use it again. The buffers are kept: in the long run
 *          nothing is allocated.
 * Bounds   PARAMS_MAX arguments of PARAM_BYTES_MAX bytes each; past that the process stops (plans
 *          are bounded long before).
 * Source   PostgreSQL documentation: array_send, tidsend; src/backend/utils/adt.
 */
#ifndef LEDGER_POSTGRES_PARAMS_H
#define LEDGER_POSTGRES_PARAMS_H

#include "base/buf.h"
#include "core/facts.h"
#include "core/tables.h"

enum { PARAMS_MAX = 32, PARAM_BYTES_MAX = 512 * 1024 * 1024 };

struct params {
    struct buf bytes[PARAMS_MAX];
    bool nulls[PARAMS_MAX];
    size_t count;
    /* What libpq is given; filled by params_ready(). */
    const char *values[PARAMS_MAX];
    int formats[PARAMS_MAX]; /* 1: binary. */
    int lengths[PARAMS_MAX];
};

void params_init(struct params *params);
void params_fini(struct params *params);
void params_reset(struct params *params);
void params_ready(struct params *params);

/* Scalars. A decimal is text: the server reads it as whatever type the statement needs. */
void params_i4(struct params *params, int32_t value);
void params_i8(struct params *params, int64_t value);
void params_decimal(struct params *params, int64_t value);
void params_text(struct params *params, struct str text);
void params_bytes(struct params *params, struct str bytes);
void params_null(struct params *params);

/* Arrays that are filled element by element: exactly `count` of them. */
void params_array(struct params *params, enum column_kind kind, size_t count);
void params_add_int(struct params *params, enum column_kind kind, int64_t value);
void params_add_str(struct params *params, struct str value);

/* One array: a column of all rows, or their places (ctids). */
void params_column(struct params *params, const struct column *column, const row_list *rows);
void params_places(struct params *params, const row_list *rows);

/* The number of that kind at `at`. */
static inline int64_t int_at(const char *at, enum column_kind kind)
{
    return kind == COLUMN_I8   ? *(const int64_t *)(const void *)at
           : kind == COLUMN_I4 ? *(const int32_t *)(const void *)at
           : kind == COLUMN_I2 ? *(const int16_t *)(const void *)at
                               : *(const bool *)at;
}

/* A ctid as row.locator, and never 0: 48 bits, block and line. */
int64_t place_from_bytes(const char bytes[6]);

#endif
