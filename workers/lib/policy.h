/*
 * policy - an ordered list of rules that gives each finding its verdict; the first match wins.
 *
 * Document {"id":"...","version":"...","rules":[{"when":{...},"verdict":"fail"}, ...]} with, in
 *          `when`, any of: "affected": text or list of yes|no|unknown; "informational": bool;
 *          "vex": text or list of not_affected|fixed|affected|under_investigation|none;
 *          "ecosystem": text or list of OSV names. All of them must hold; an empty `when` always
 *          holds. A finding that no rule matches fails: a gap in a policy is not a pass.
 * Digest   SHA-256 of the document's canonical JSON; it stands in the run.
 * Bounds   POLICY_RULES_MAX rules. Unknown members are refused: a typo must not pass silently.
 * Owns     texts lie in the arena given.
 */
#ifndef WORKERS_LIB_POLICY_H
#define WORKERS_LIB_POLICY_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"
#include "workers/lib/finding.h"
#include "workers/lib/purl.h"

enum { POLICY_RULES_MAX = 100 };

struct policy_rule {
    unsigned affected;       /* Bit per enum affected; 0 is any. */
    unsigned vex;            /* Bit per enum vex_status; 0 is any. */
    unsigned ecosystems;     /* Bit per enum ecosystem; 0 is any. */
    bool asks_informational; /* `informational` is meant. */
    bool informational;
    enum verdict verdict;
};

struct policy {
    struct str id;
    struct str version;
    struct policy_rule rules[POLICY_RULES_MAX];
    size_t rules_count;
    struct sha256 digest;
};

/* The facts that a rule can ask for. */
struct policy_facts {
    enum affected affected;
    enum vex_status vex; /* VEX_NONE when no statement decides. */
    enum ecosystem ecosystem;
    bool informational;
};

/* Reads a policy document. Errors: malformed_json, unprocessable with a pointer. */
MUST_CHECK enum err_code policy_read(struct arena *arena, struct str text,
                                     struct policy *out_policy, struct err *err);
/* The document shipped: no is pass, VEX suppresses, unknown and informational warn, yes fails. */
struct str policy_default_text(void);
enum verdict policy_decide(const struct policy *policy, const struct policy_facts *facts);

#endif
