/*
 * base/json - the one JSON writer, and strict reading through jansson.
 *
 * Writing  json_put_* append to a struct buf. Keys of an object must come in ascending byte order:
 *          together with integers only and minimal escapes that makes every output canonical
 *          (RFC 8785). A key out of order is a programmer error.
 * Reading  json_read() refuses duplicate keys, invalid UTF-8, NUL in strings, trailing bytes and
 *          nesting over JSON_DEPTH_MAX, with the byte offset in the message.
 * Bounds   nesting of JSON_DEPTH_MAX when writing too.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { JSON_DEPTH_MAX = 64 };

struct json_level {
    size_t key_at; /* Where the last key of this object lies in out. */
    size_t key_len;
    unsigned char key_first; /* Its first byte; 0 before the first key. */
    bool has_members;        /* A comma is due before the next member. */
};

struct json_writer {
    struct buf *out; /* Borrowed. */
    int depth;
    bool sorted;    /* Keys must ascend; off only for foreign documents. */
    bool after_key; /* A value is due. */
    struct json_level levels[JSON_DEPTH_MAX + 1];
};

void json_begin(struct json_writer *w, struct buf *out);
/* Goes on behind the opening brackets of `depth` objects that lie in `out` already. */
void json_resume(struct json_writer *w, struct buf *out, int depth);
void json_put_object(struct json_writer *w);
void json_put_object_end(struct json_writer *w);
void json_put_array(struct json_writer *w);
void json_put_array_end(struct json_writer *w);
void json_put_key(struct json_writer *w, struct str key);
void json_put_str(struct json_writer *w, struct str value);
/* Within 2^53-1 a number, beyond that a string (RFC 8785 has doubles only). */
void json_put_int(struct json_writer *w, int64_t value);
void json_put_bool(struct json_writer *w, bool value);
void json_put_null(struct json_writer *w);
/* Bytes that are a JSON value already. */
void json_put_raw(struct json_writer *w, struct str value);
/* RFC 3339 in UTC. */
void json_put_time(struct json_writer *w, int64_t us);
/* Any jansson value, keys sorted; reals as shortest round-trip text. */
void json_put_value(struct json_writer *w, const json_t *value);

/* A member whose key is known when this is compiled and needs no escape. The comma before it, its
 * quotes and its colon are one text with it. */
#define JSON_MEMBER(key) STR(",\"" key "\":")
void json_member(struct json_writer *w, struct str member); /* Its value comes next. */
void json_member_str(struct json_writer *w, struct str member, struct str value);
void json_member_int(struct json_writer *w, struct str member, int64_t value);
/* Bytes as lower-case hexadecimal text. */
void json_member_hex(struct json_writer *w, struct str member, struct str bytes);

/* key + value in one line: JSON_INT(w, "literal", value). */
#define JSON_KEY(w, key)         json_member((w), JSON_MEMBER(key))
#define JSON_STR(w, key, value)  json_member_str((w), JSON_MEMBER(key), (value))
#define JSON_INT(w, key, value)  json_member_int((w), JSON_MEMBER(key), (value))
#define JSON_BOOL(w, key, value) (JSON_KEY(w, key), json_put_bool((w), (value)))
#define JSON_NULL(w, key)        (JSON_KEY(w, key), json_put_null((w)))
#define JSON_RAW(w, key, value)  (JSON_KEY(w, key), json_put_raw((w), (value)))
#define JSON_TIME(w, key, us)    (JSON_KEY(w, key), json_put_time((w), (us)))

/* How many bytes of the text stand in a JSON string as they are. */
size_t json_plain_len(struct str text);
/* Parses one whole document. The caller owns *out (json_decref). */
MUST_CHECK enum err_code json_read(struct str text, json_t **out, struct err *err);
/* Borrowed text of a string value; empty when it is not a string. */
struct str json_text(const json_t *value);

/* The JSON pointer (RFC 6901) of a member below `pointer`: "~" and "/" in its name are escaped. */
struct str json_pointer_below(struct arena *arena, struct str pointer, struct str name);

#endif
