#include "ledger/postgres/load.h"

#include <endian.h>
#include <string.h>

#include "base/check.h"

/* Every result row begins with the number of its want (from 1) and the place. */
enum { COLUMN_NR = 0, COLUMN_PLACE = 1 };

static const struct want_load open_heads = {"load_open_heads", TABLE_READY};

/* ---- Sending ---- */

/* Members of struct want by the names that "-- args:" lines use. */
static const struct member {
    const char *name;
    enum column_kind kind;
    size_t offset;
} members[] = {
    {"shard", COLUMN_I2, offsetof(struct want, shard)},
    {"tenant", COLUMN_I4, offsetof(struct want, tenant)},
    {"a", COLUMN_I8, offsetof(struct want, a)},
    {"b", COLUMN_I8, offsetof(struct want, b)},
    {"limit", COLUMN_I4, offsetof(struct want, limit)},
    {"text", COLUMN_TEXT, offsetof(struct want, text)},
    {"text2", COLUMN_TEXT, offsetof(struct want, text2)},
};

static const struct member *member_of(const char *name)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strcmp(members[i].name, name) == 0) {
            return &members[i];
        }
    }
    UNREACHABLE();
}

/* One array: that member of all wants. */
static void put_member(struct params *params, const struct member *member, const want_list *wants)
{
    params_array(params, member->kind, wants->n);
    for (size_t i = 0; i < wants->n; i++) {
        const char *at = (const char *)&wants->v[i] + member->offset;
        if (member->kind == COLUMN_TEXT) {
            params_add_str(params, *(const struct str *)(const void *)at);
        } else {
            params_add_int(params, member->kind, int_at(at, member->kind));
        }
    }
}

static enum err_code send_one(struct session *session, struct params *params,
                              const struct want_load *load, const want_list *wants, struct err *err)
{
    const struct statement *statement = statement_find(&postgres_load, str_from(load->statement));
    CHECK(statement != NULL);
    params_reset(params);
    for (size_t i = 0; i < statement->arg_count; i++) {
        put_member(params, member_of(statement->args[i]), wants);
    }
    return session_send(session, statement->name, params, err);
}

enum err_code load_send(struct session *session, struct params *params, const struct wants *wants,
                        struct err *err)
{
    for (int kind = 0; kind < WANT_COUNT; kind++) {
        const want_list *list = &wants->of[kind];
        const struct want_loads *loads = want_loads_of((enum want_kind)kind);
        for (size_t i = 0; list->n > 0 && i < loads->count; i++) {
            TRY(send_one(session, params, &loads->loads[i], list, err));
        }
        if (list->n > 0 && kind == WANT_OPEN_LANES) {
            TRY(send_one(session, params, &open_heads, list, err));
        }
    }
    return ERR_OK;
}

/* ---- Receiving ---- */

/* Bytes of a number, most significant first; 0 for what is none. */
static int number_size(enum column_kind kind)
{
    switch (kind) {
    case COLUMN_BOOL: return sizeof(bool);
    case COLUMN_I2: return sizeof(int16_t);
    case COLUMN_I4: return sizeof(int32_t);
    case COLUMN_I8: return sizeof(int64_t);
    case COLUMN_TEXT:
    case COLUMN_BYTES: return 0;
    }
    UNREACHABLE();
}

static void take_number(const char *bytes, enum column_kind kind, char *out)
{
    uint16_t two = 0;
    uint32_t four = 0;
    uint64_t eight = 0;
    if (kind == COLUMN_I8) {
        memcpy(&eight, bytes, sizeof(eight));
        eight = be64toh(eight);
        memcpy(out, &eight, sizeof(eight));
    } else if (kind == COLUMN_I4) {
        memcpy(&four, bytes, sizeof(four));
        four = be32toh(four);
        memcpy(out, &four, sizeof(four));
    } else if (kind == COLUMN_I2) {
        memcpy(&two, bytes, sizeof(two));
        two = be16toh(two);
        memcpy(out, &two, sizeof(two));
    } else {
        *(bool *)out = *bytes != 0;
    }
}

void load_check(const PGresult *result, enum table_id table, int first)
{
    const struct table *description = table_get(table);
    CHECK(PQnfields(result) == first + 1 + (int)description->column_count);
    for (size_t i = 0; i < description->column_count; i++) {
        const int size = number_size(description->columns[i].kind);
        CHECK(size == 0 || PQfsize(result, first + 1 + (int)i) == size);
    }
}

struct row *load_row(struct arena *arena, enum table_id table, const PGresult *result, int at,
                     int first)
{
    const struct table *description = table_get(table);
    struct row *row = arena_alloc(arena, description->row_size);
    row->table = (uint8_t)table;
    row->locator = place_from_bytes(PQgetvalue(result, at, first));
    for (size_t i = 0; i < description->column_count; i++) {
        const struct column *column = &description->columns[i];
        const int field = first + 1 + (int)i;
        if (column->kind == COLUMN_TEXT || column->kind == COLUMN_BYTES) {
            column_set_str(column, row, arena_str(arena, result_bytes(result, at, field)));
        } else {
            take_number(PQgetvalue(result, at, field), column->kind, (char *)row + column->offset);
        }
    }
    return row;
}

static enum err_code receive_one(struct session *session, struct facts *facts, enum want_kind kind,
                                 const want_list *wants, enum table_id table, struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;
    TRY(session_next(session, SESSION_WAIT_MS, &result, err));
    if (result != NULL) {
        load_check(result, table, COLUMN_PLACE);
    }
    for (int i = 0; i < PQntuples(result); i++) {
        const int64_t number = result_int(result, i, COLUMN_NR);
        CHECK(number >= 1 && (size_t)number <= wants->n);
        facts_learn(facts, kind, &wants->v[number - 1],
                    load_row(facts->arena, table, result, i, COLUMN_PLACE));
    }
    return ERR_OK;
}

enum err_code load_receive(struct session *session, struct facts *facts, const struct wants *wants,
                           struct err *err)
{
    for (int at = 0; at < WANT_COUNT; at++) {
        const enum want_kind kind = (enum want_kind)at;
        const want_list *list = &wants->of[kind];
        const struct want_loads *loads = want_loads_of(kind);
        for (size_t i = 0; list->n > 0 && i < loads->count; i++) {
            TRY(receive_one(session, facts, kind, list, loads->loads[i].table, err));
        }
        if (list->n > 0 && kind == WANT_OPEN_LANES) {
            TRY(receive_one(session, facts, kind, list, open_heads.table, err));
        }
    }
    return ERR_OK;
}
