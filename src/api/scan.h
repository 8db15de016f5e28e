/*
 * api/scan - one pass over a JSON body that gives values as they come and payloads as raw bytes.
 * For the hot bodies only (jobs, claims, reports); everything else goes through decode.h.
 *
 *   struct scan s;
 *   scan_begin(&s, body, arena);
 *   scan_object(&s);
 *   while (scan_member(&s, &key)) { … scan_int(&s, …) or scan_raw(&s, …) … }
 *   code = scan_end(&s, err);
 *
 * Use      After the first failure every call does nothing and loops end; scan_end() tells.
 *          scan_refuse() fails with a reason of the caller's.
 * Bounds   JSON_DEPTH_MAX levels; integers within int64.
 * Errors   ERR_MALFORMED_JSON, before any other, with the byte offset (strict RFC 8259: one value,
 * UTF-8, no lone surrogates, no U+0000, no member twice, whatever its spelling); ERR_UNPROCESSABLE
 * with the JSON pointer of a value of the wrong type.
 */
#ifndef API_SCAN_H
#define API_SCAN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "base/vec.h"

/* An open object or array. */
struct scan_level {
    bool is_object;
    bool has_member;
    size_t keys_from;    /* Of this object, in scan.keys. */
    size_t index;        /* Arrays: of the item being read. */
    struct str last_key; /* Objects: of the member being read. */
};

struct scan {
    struct str text;
    size_t at;
    struct arena *arena;
    int depth;
    struct scan_level levels[JSON_DEPTH_MAX + 1];
    VEC(uint64_t) keys; /* Hashes of the member names of all open objects. */
    struct err err;
};

void scan_begin(struct scan *s, struct str text, struct arena *arena);
/* The value must be an object or array; then its members or items follow. */
void scan_object(struct scan *s);
bool scan_member(struct scan *s, struct str *out_key);
void scan_array(struct scan *s);
bool scan_item(struct scan *s);
/* A value of that type. Texts are decoded; they are slices of the body when nothing was escaped. */
struct str scan_text(struct scan *s);
int64_t scan_int(struct scan *s);
/* An integer within bounds; what is not is refused and read as `min`. */
int64_t scan_bounded(struct scan *s, int64_t min, int64_t max);
bool scan_flag(struct scan *s);
/* Takes `null` when it is there. */
bool scan_null(struct scan *s);
/* Any value, checked, as its bytes. */
struct str scan_raw(struct scan *s);
/* Fails at the value being read (or last read), with a code and a reason. */
void scan_refuse(struct scan *s, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool scan_failed(const struct scan *s);
/* Nothing may follow. */
enum err_code scan_end(struct scan *s, struct err *err);

#endif
