#include "workers/lib/rule.h"

#include "base/check.h"

#define RULE_ROW(id, name, sentence) {name, sentence},
static const struct rule_info table[] = {RULES(RULE_ROW)};

const struct rule_info *rule_info(enum rule rule)
{
    CHECK(rule < RULE_COUNT);
    return &table[rule];
}
