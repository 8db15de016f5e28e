/*
 * base/err - a failure as a value: a code from the catalogue and a sentence for people.
 *
 * Use      functions that can fail return enum err_code (0 is OK, must be checked) and fill the
 *          caller's struct err; TRY() passes a failure on.
 * Source   the catalogue is contract/errors.json; contract/errors.h is generated from it.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#include "base/check.h"
#include "contract/errors.h"

enum { ERR_TEXT = 256 };

struct err {
    enum err_code code;     /* ERR_OK when nothing failed. */
    char message[ERR_TEXT]; /* One sentence, no secrets, no tenant's data but the caller's own. */
    char pointer[ERR_TEXT]; /* JSON pointer of the offending member, or empty. */
    int retry_after_ms;     /* For errors that a retry can help; 0 when unknown. */
};

/* What the catalogue says of one code. */
struct err_info {
    const char *name;    /* "lease_lost" */
    int status;          /* HTTP status. */
    bool retryable;      /* The same call later can succeed. */
    const char *title;   /* One sentence. */
    const char *runbook; /* Page under docs/operate, or empty. */
};

const struct err_info *err_info(enum err_code code);
/* Finds a code by name; false when unknown. */
bool err_find(const char *name, enum err_code *out_code);

/* Fills *err and returns `code`. A longer message is cut. */
enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with a JSON pointer. */
enum err_code err_at(struct err *err, enum err_code code, const char *pointer, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));

/* Returns from the enclosing function when `call` failed. */
#define TRY(call)                               \
    do {                                        \
        const enum err_code try_code_ = (call); \
        if (try_code_ != ERR_OK) {              \
            return try_code_;                   \
        }                                       \
    } while (0)

#endif
