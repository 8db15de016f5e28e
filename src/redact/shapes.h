/*
 * redact/shapes - what secrets look like: pure looks at a place in a text.
 *
 * Each match_… looks at `at` and tells where the secret ends, or 0. A look ahead is bounded, or
 * consumes what it looked at.
 */
#ifndef REDACT_SHAPES_H
#define REDACT_SHAPES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* How sure a name makes us. */
enum name_strength {
    NAME_PLAIN,
    NAME_WEAK,   /* "token", "signature": when the value looks like a secret. */
    NAME_STRONG, /* "password", "api_key": whatever the value is. */
    NAME_HEADER, /* "authorization", "cookie": to the end of the line. */
};

struct shape_match {
    size_t from; /* What is replaced; 0 to 0: nothing. */
    size_t to;
    const char *kind;
};

bool shape_is_word(char c);
/* A mark that was put before. */
bool shape_is_mark(struct str text);
enum name_strength shape_name(struct str name);
/* Random enough to be a secret, not a word or a number. */
bool shape_looks_secret(struct str value);
/* A token of known shape that begins at `at`, the beginning of a word. */
bool shape_token(struct str text, size_t at, struct shape_match *out);
/* "Bearer abc…" at the beginning of a word. */
bool shape_scheme(struct str text, size_t at, struct shape_match *out);
/* "name=value", "name: value", "\"name\": \"value\"", "--name value" at the beginning of a word. */
bool shape_assignment(struct str text, size_t at, struct shape_match *out);
/* "://user:password@" at its colon. */
bool shape_userinfo(struct str text, size_t at, struct shape_match *out);
/* "-----BEGIN … PRIVATE KEY-----" to its end, or to the end of the text: then *out_open. */
bool shape_private_key(struct str text, size_t at, struct shape_match *out, bool *out_open);
/* Where an open private key ends, from the beginning of the text; text.len when it does not. */
size_t shape_private_key_end(struct str text, bool *out_open);
/* A whole line of base64, as key blocks are made of, at the beginning of a line. */
bool shape_base64_line(struct str text, size_t at, struct shape_match *out);

#endif
