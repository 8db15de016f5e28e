/*
 * reading - the tolerant reader's notebook for one document: warnings, or the reason it is refused.
 *
 * Use      parsers ask for members with reading_*() and a place; a member that the observation
 *          needs refuses the document when it is missing or of the wrong type, any other
 *          departure from the format's rules becomes a warning {rule, JSON pointer}.
 * Bounds   READING_WARNINGS_MAX warnings are kept, all are counted; a JSON pointer is cut after
 *          READING_POINTER_MAX bytes.
 * Owns     nothing; everything lies in the arena.
 */
#ifndef WORKERS_LIB_READING_H
#define WORKERS_LIB_READING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"
#include "workers/lib/rule.h"

enum { READING_WARNINGS_MAX = 100, READING_POINTER_MAX = 1024 };

/* Why a document cannot be used; the closed list. Names and sentences: quarantine_info(). */
enum quarantine {
    QUARANTINE_NONE,
    QUARANTINE_DOES_NOT_PARSE, /* Neither JSON nor YAML. */
    QUARANTINE_TOO_LARGE,      /* More bytes than are read, or an observation that is too big. */
    QUARANTINE_TOO_COMPLEX,    /* Nesting, aliases or counts beyond the bounds. */
    QUARANTINE_UNKNOWN_FORMAT, /* It parses, but is nothing that we know. */
    QUARANTINE_UNSUPPORTED_FORMAT, /* A format or version that we know and do not read. */
    QUARANTINE_WRONG_FOLDER,       /* Readable, but not what this feed folder holds. */
    QUARANTINE_MISSING_FIELD,      /* A member that the observation needs is absent or empty. */
    QUARANTINE_WRONG_TYPE,         /* A member that the observation needs has another type. */
    QUARANTINE_COUNT,
};

struct quarantine_info {
    const char *name;     /* "does-not-parse" */
    const char *sentence; /* For people. */
};

const struct quarantine_info *quarantine_info(enum quarantine quarantine);

/* A place in the document, chained on the stack; a JSON pointer is made only when it is needed. */
struct place {
    const struct place *up; /* Null at the root. */
    const char *key;        /* Member name, or null for an element. */
    size_t index;           /* Of the element. */
};

#define PLACE_KEY(above, name)       ((struct place){.up = (above), .key = (name)})
#define PLACE_INDEX(above, position) ((struct place){.up = (above), .index = (position)})

struct reading_warning {
    enum rule rule;
    struct str pointer;
};

struct reading {
    struct arena *arena;
    struct str path; /* Of the document, below the feed folder; may be empty. */
    struct reading_warning warnings[READING_WARNINGS_MAX];
    size_t warnings_kept;
    size_t warnings_total;
    enum quarantine quarantine; /* The first reason wins. */
    struct str detail;
    struct str pointer;
};

/* The first bytes of a text, at most `max`, ending with a whole UTF-8 sequence. */
struct str reading_cut(struct str text, size_t max);
void reading_init(struct reading *reading, struct arena *arena, struct str path);
/* RFC 6901 text of a place. */
struct str place_pointer(struct arena *arena, const struct place *at);
void reading_warn(struct reading *reading, enum rule rule, const struct place *at);
void reading_refuse(struct reading *reading, enum quarantine quarantine, const struct place *at,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

static inline bool reading_refused(const struct reading *reading)
{
    return reading->quarantine != QUARANTINE_NONE;
}

/*
 * Members of `object` at `at`. JSON null counts as absent.
 * `need` refuses a missing or wrong one; `want` (with a rule) warns and goes on without it.
 */
struct str reading_need_text(struct reading *reading, const json_t *object, const struct place *at,
                             const char *key);
/* Absent is fine and empty; a wrong type refuses, because the observation would be wrong. */
struct str reading_take_text(struct reading *reading, const json_t *object, const struct place *at,
                             const char *key);
struct str reading_want_text(struct reading *reading, const json_t *object, const struct place *at,
                             const char *key, enum rule rule);
/* Null when absent; a wrong type refuses. */
const json_t *reading_take_array(struct reading *reading, const json_t *object,
                                 const struct place *at, const char *key);
const json_t *reading_take_object(struct reading *reading, const json_t *object,
                                  const struct place *at, const char *key);
/* Warns by `rule` when it is present with another type, then null. */
const json_t *reading_want_array(struct reading *reading, const json_t *object,
                                 const struct place *at, const char *key, enum rule rule);
const json_t *reading_want_object(struct reading *reading, const json_t *object,
                                  const struct place *at, const char *key, enum rule rule);
/* Element `index` as an object; refuses any other type. Null then. */
const json_t *reading_need_element(struct reading *reading, const json_t *array,
                                   const struct place *at, size_t index);
/* A member that holds a moment: warns by `rule` when it is none. */
void reading_check_time(struct reading *reading, const json_t *object, const struct place *at,
                        const char *key, enum rule rule);
/* True when the text is one of a null-ended list. */
bool reading_knows_word(struct str word, const char *const *allowed);
/* Warns by `rule` when the text is not one of the null-ended list; an empty text passes. */
void reading_check_word(struct reading *reading, struct str word, const char *const *allowed,
                        const struct place *at, enum rule rule);

#endif
