#include "ledger/postgres/params.h"

#include <endian.h>
#include <limits.h>
#include <string.h>

#include "base/check.h"

/* Oids of the element types (pg_type.dat; fixed for good). */
enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25 };

enum { OID_TID = 27, TID_SIZE = 6, LENGTH_SIZE = 4 };

void params_init(struct params *params)
{
    memset(params, 0, sizeof(*params));
    for (size_t i = 0; i < PARAMS_MAX; i++) {
        buf_init(&params->bytes[i], PARAM_BYTES_MAX);
    }
}

void params_fini(struct params *params)
{
    for (size_t i = 0; i < PARAMS_MAX; i++) {
        buf_fini(&params->bytes[i]);
    }
}

void params_reset(struct params *params)
{
    params->count = 0;
}

void params_ready(struct params *params)
{
    for (size_t i = 0; i < params->count; i++) {
        const struct buf *bytes = &params->bytes[i];
        CHECK(!bytes->overflow && bytes->len <= INT_MAX);
        params->values[i] = params->nulls[i] ? NULL : bytes->len > 0 ? bytes->ptr : "";
        params->lengths[i] = (int)bytes->len;
    }
}

static struct buf *begin(struct params *params, int format)
{
    CHECK(params->count < PARAMS_MAX);
    struct buf *bytes = &params->bytes[params->count];
    params->formats[params->count] = format;
    params->nulls[params->count] = false;
    params->count++;
    buf_reset(bytes);
    return bytes;
}

static void put_u32(struct buf *bytes, uint32_t value)
{
    value = htobe32(value);
    buf_put(bytes, &value, sizeof(value));
}

static void put_u64(struct buf *bytes, uint64_t value)
{
    value = htobe64(value);
    buf_put(bytes, &value, sizeof(value));
}

/* ---- Scalars ---- */

void params_i4(struct params *params, int32_t value)
{
    put_u32(begin(params, 1), (uint32_t)value);
}

void params_i8(struct params *params, int64_t value)
{
    put_u64(begin(params, 1), (uint64_t)value);
}

void params_decimal(struct params *params, int64_t value)
{
    struct buf *bytes = begin(params, 0);
    buf_i64(bytes, value);
    buf_char(bytes, '\0'); /* libpq reads text arguments as C strings. */
}

void params_text(struct params *params, struct str text)
{
    buf_str(begin(params, 1), text);
}

void params_bytes(struct params *params, struct str bytes)
{
    buf_str(begin(params, 1), bytes);
}

void params_null(struct params *params)
{
    (void)begin(params, 1);
    params->nulls[params->count - 1] = true;
}

/* ---- Arrays ---- */

/* One dimension, no nulls, lower bound 1. */
static struct buf *begin_array(struct params *params, uint32_t element, size_t count)
{
    CHECK(count <= INT_MAX);
    struct buf *bytes = begin(params, 1);
    put_u32(bytes, count > 0 ? 1 : 0);
    put_u32(bytes, 0);
    put_u32(bytes, element);
    if (count > 0) {
        put_u32(bytes, (uint32_t)count);
        put_u32(bytes, 1);
    }
    return bytes;
}

static uint32_t oid_of(enum column_kind kind)
{
    switch (kind) {
    case COLUMN_BOOL: return OID_BOOL;
    case COLUMN_I2: return OID_INT2;
    case COLUMN_I4: return OID_INT4;
    case COLUMN_I8: return OID_INT8;
    case COLUMN_TEXT: return OID_TEXT;
    case COLUMN_BYTES: return OID_BYTEA;
    }
    UNREACHABLE();
}

static uint32_t size_of(enum column_kind kind)
{
    switch (kind) {
    case COLUMN_BOOL: return 1;
    case COLUMN_I2: return 2;
    case COLUMN_I4: return 4;
    case COLUMN_I8: return 8;
    case COLUMN_TEXT:
    case COLUMN_BYTES: break;
    }
    UNREACHABLE();
}

void params_array(struct params *params, enum column_kind kind, size_t count)
{
    (void)begin_array(params, oid_of(kind), count);
}

/* A length, then the number's low bytes, most significant first. */
static void put_int(char *at, uint32_t size, int64_t value)
{
    const uint32_t length = htobe32(size);
    const uint64_t ordered = htobe64((uint64_t)value);
    memcpy(at, &length, LENGTH_SIZE);
    memcpy(at + LENGTH_SIZE, (const char *)&ordered + (sizeof(ordered) - size), size);
}

void params_add_int(struct params *params, enum column_kind kind, int64_t value)
{
    struct buf *bytes = &params->bytes[params->count - 1];
    const uint32_t size = size_of(kind);
    char *at = buf_reserve(bytes, LENGTH_SIZE + size);
    CHECK(at != NULL);
    put_int(at, size, value);
    bytes->len += LENGTH_SIZE + size;
}

void params_add_str(struct params *params, struct str value)
{
    CHECK(value.len <= INT_MAX);
    struct buf *bytes = &params->bytes[params->count - 1];
    put_u32(bytes, (uint32_t)value.len);
    buf_str(bytes, value);
}

static void column_of_ints(struct buf *bytes, const struct column *column, const row_list *rows)
{
    const uint32_t size = size_of(column->kind);
    const size_t step = LENGTH_SIZE + size;
    char *at = buf_reserve(bytes, rows->n * step);
    CHECK(at != NULL);
    for (size_t i = 0; i < rows->n; i++) {
        put_int(at, size, int_at((const char *)rows->v[i] + column->offset, column->kind));
        at += step;
    }
    bytes->len += rows->n * step;
}

void params_column(struct params *params, const struct column *column, const row_list *rows)
{
    struct buf *bytes = begin_array(params, oid_of(column->kind), rows->n);
    if (column->kind != COLUMN_TEXT && column->kind != COLUMN_BYTES) {
        column_of_ints(bytes, column, rows);
        return;
    }
    for (size_t i = 0; i < rows->n; i++) {
        params_add_str(params, column_str(column, rows->v[i]));
    }
}

void params_places(struct params *params, const row_list *rows)
{
    struct buf *bytes = begin_array(params, OID_TID, rows->n);
    for (size_t i = 0; i < rows->n; i++) {
        CHECK(rows->v[i]->locator != 0); /* Changed rows were loaded in this transaction. */
        char *at = buf_reserve(bytes, LENGTH_SIZE + TID_SIZE);
        CHECK(at != NULL);
        put_int(at, TID_SIZE, rows->v[i]->locator);
        bytes->len += LENGTH_SIZE + TID_SIZE;
    }
}

int64_t place_from_bytes(const char bytes[6])
{
    uint64_t ordered = 0;
    memcpy((char *)&ordered + (sizeof(ordered) - TID_SIZE), bytes, TID_SIZE);
    return (int64_t)be64toh(ordered);
}
