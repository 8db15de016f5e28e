#include "workers/lib/policy.h"

#include "base/json.h"

static const char default_text[] =
    "{\n"
    "  \"id\": \"stella-default\",\n"
    "  \"version\": \"1\",\n"
    "  \"rules\": [\n"
    "    {\"when\": {\"affected\": \"no\"}, \"verdict\": \"pass\"},\n"
    "    {\"when\": {\"vex\": [\"not_affected\", \"fixed\"]}, \"verdict\": \"suppressed\"},\n"
    "    {\"when\": {\"affected\": \"unknown\"}, \"verdict\": \"warn\"},\n"
    "    {\"when\": {\"informational\": true}, \"verdict\": \"warn\"},\n"
    "    {\"when\": {\"affected\": \"yes\"}, \"verdict\": \"fail\"}\n"
    "  ]\n"
    "}\n";

struct str policy_default_text(void)
{
    return (struct str){default_text, sizeof(default_text) - 1};
}

/* Sets the bit of one word; false when the word is unknown. */
typedef bool (*word_bit)(struct str word, unsigned *bits);

static bool affected_bit(struct str word, unsigned *bits)
{
    enum affected affected;
    const bool known = affected_find(word, &affected);
    *bits |= known ? 1U << affected : 0U;
    return known;
}

static bool vex_bit(struct str word, unsigned *bits)
{
    enum vex_status status;
    const bool known = vex_status_find(word, &status);
    *bits |= known ? 1U << status : 0U;
    return known;
}

static bool ecosystem_bit(struct str word, unsigned *bits)
{
    const enum ecosystem ecosystem = ecosystem_from_osv(word);
    *bits |= 1U << ecosystem;
    return ecosystem != ECOSYSTEM_NONE;
}

/* A word, or a list of at least one. */
static enum err_code read_words(const json_t *value, const char *pointer, word_bit set,
                                unsigned *out_bits, struct err *err)
{
    const size_t n = json_is_array(value) ? json_array_size(value) : 1;
    *out_bits = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *word = json_is_array(value) ? json_array_get(value, i) : value;
        if (!set(json_text(word), out_bits)) {
            return err_at(err, ERR_UNPROCESSABLE, pointer, "a condition has an unknown word");
        }
    }
    if (n == 0) {
        return err_at(err, ERR_UNPROCESSABLE, pointer, "a condition with no words never holds");
    }
    return ERR_OK;
}

static enum err_code read_condition(const char *key, const json_t *value, const char *pointer,
                                    struct policy_rule *rule, struct err *err)
{
    const struct str name = str_from(key);
    if (str_eq(name, STR("affected"))) {
        return read_words(value, pointer, affected_bit, &rule->affected, err);
    }
    if (str_eq(name, STR("vex"))) {
        return read_words(value, pointer, vex_bit, &rule->vex, err);
    }
    if (str_eq(name, STR("ecosystem"))) {
        return read_words(value, pointer, ecosystem_bit, &rule->ecosystems, err);
    }
    if (str_eq(name, STR("informational")) && json_is_boolean(value)) {
        rule->asks_informational = true;
        rule->informational = json_is_true(value);
        return ERR_OK;
    }
    return err_at(err, ERR_UNPROCESSABLE, pointer, "\"%s\" is no condition, or of a wrong type",
                  key);
}

static enum err_code read_rule(struct arena *arena, json_t *value, size_t index,
                               struct policy_rule *rule, struct err *err)
{
    json_t *when = json_object_get(value, "when");
    const char *pointer = arena_format(arena, "/rules/%zu", index).ptr;
    const char *key = NULL;
    json_t *condition = NULL;
    *rule = (struct policy_rule){0};
    if (!json_is_object(when) || json_object_size(value) != 2 ||
        !verdict_find(json_text(json_object_get(value, "verdict")), &rule->verdict)) {
        return err_at(err, ERR_UNPROCESSABLE, pointer,
                      "a rule is {\"when\": {...}, \"verdict\": fail|warn|pass|suppressed}");
    }
    json_object_foreach(when, key, condition)
    {
        const char *at = arena_format(arena, "%s/when/%s", pointer, key).ptr;
        TRY(read_condition(key, condition, at, rule, err));
    }
    return ERR_OK;
}

static enum err_code read_document(struct arena *arena, const json_t *document, struct policy *out,
                                   struct err *err)
{
    const json_t *rules = json_object_get(document, "rules");
    out->id = arena_str(arena, json_text(json_object_get(document, "id")));
    out->version = arena_str(arena, json_text(json_object_get(document, "version")));
    if (out->id.len == 0 || out->version.len == 0 || !json_is_array(rules) ||
        json_object_size(document) != 3) {
        return err_set(err, ERR_UNPROCESSABLE, "a policy has id, version and rules, nothing else");
    }
    if (json_array_size(rules) > POLICY_RULES_MAX) {
        return err_at(err, ERR_UNPROCESSABLE, "/rules", "a policy has at most %d rules",
                      POLICY_RULES_MAX);
    }
    for (size_t i = 0; i < json_array_size(rules); i++) {
        TRY(read_rule(arena, json_array_get(rules, i), i, &out->rules[i], err));
        out->rules_count = i + 1;
    }
    return ERR_OK;
}

static struct sha256 digest_of(const json_t *document, size_t text_len)
{
    struct buf canonical;
    struct json_writer writer;
    buf_init(&canonical, 8 * text_len + 1024);
    json_begin(&writer, &canonical);
    json_put_value(&writer, document);
    const struct sha256 digest = sha256_of(buf_get(&canonical));
    buf_fini(&canonical);
    return digest;
}

enum err_code policy_read(struct arena *arena, struct str text, struct policy *out_policy,
                          struct err *err)
{
    json_t *document = NULL;
    *out_policy = (struct policy){0};
    TRY(json_read(text, &document, err));
    const enum err_code code = read_document(arena, document, out_policy, err);
    if (code == ERR_OK) {
        out_policy->digest = digest_of(document, text.len);
    }
    json_decref(document);
    return code;
}

static bool holds(unsigned asked, unsigned fact)
{
    return asked == 0 || (asked & (1U << fact)) != 0;
}

enum verdict policy_decide(const struct policy *policy, const struct policy_facts *facts)
{
    for (size_t i = 0; i < policy->rules_count; i++) {
        const struct policy_rule *rule = &policy->rules[i];
        if (holds(rule->affected, facts->affected) && holds(rule->vex, facts->vex) &&
            holds(rule->ecosystems, facts->ecosystem) &&
            (!rule->asks_informational || rule->informational == facts->informational)) {
            return rule->verdict;
        }
    }
    return VERDICT_FAIL;
}
