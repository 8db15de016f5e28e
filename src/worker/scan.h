/*
 * worker/scan - walks over the members of JSON objects and arrays as spans of the text.
 *
 * Use      scan_object() or scan_array(), then scan_member() or scan_item() until false; the spans
 *          are read with json_read(). Why not the parser alone: a payload is handed on as the bytes
 *          that were submitted, and one that the parser cannot hold (a number of 400 digits) must
 *          fail its own job, not the claim of all the others.
 * Owns     nothing; spans point into the text.
 * Bounds   no recursion; never reads past the text. Accepts more than JSON inside a span.
 */
#ifndef WORKER_SCAN_H
#define WORKER_SCAN_H

#include <stdbool.h>

#include "base/str.h"

struct scan {
    struct str text;
    size_t at;   /* Next byte. */
    bool first;  /* No member was taken yet. */
    bool broken; /* The text does not have the promised form. */
};

/* Begins at `{`; false when it is something else. */
bool scan_object(struct scan *scan, struct str text);
/* Begins at `[`. */
bool scan_array(struct scan *scan, struct str text);
/* The next member: its key without quotes, escapes as they stand, and the span of its value. False
 * at the end, and when `broken` was set. */
bool scan_member(struct scan *scan, struct str *out_key, struct str *out_value);
/* The next item of an array. */
bool scan_item(struct scan *scan, struct str *out_value);

#endif
