/*
 * http/uri - percent-encoding and path segments.
 *
 * Errors   a broken escape, a NUL byte or bytes that are not UTF-8: false.
 */
#ifndef HTTP_URI_H
#define HTTP_URI_H

#include "base/arena.h"
#include "base/str.h"

/* Decodes; the result lies in the arena, or is `text` itself when nothing was escaped. */
bool uri_decode(struct arena *arena, struct str text, struct str *out);

#endif
