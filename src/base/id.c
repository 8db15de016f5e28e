#include "base/id.h"

#include <string.h>

static void format(struct str prefix, int64_t id, char out[ID_TEXT])
{
    memcpy(out, prefix.ptr, prefix.len);
    *str_put_i64(out + prefix.len, id) = '\0';
}

void job_id_format(struct job_id id, char out[ID_TEXT])
{
    format(STR("job-"), id.v, out);
}

void run_id_format(struct run_id id, char out[ID_TEXT])
{
    format(STR("run-"), id.v, out);
}

void bulk_id_format(struct bulk_id id, char out[ID_TEXT])
{
    format(STR("bulk-"), id.v, out);
}

static bool parse(struct str text, struct str prefix, int64_t *out)
{
    if (!str_starts(text, prefix) || text.len == prefix.len) {
        return false;
    }
    const struct str digits = str_slice(text, prefix.len, text.len);
    return digits.ptr[0] >= '1' && digits.ptr[0] <= '9' && str_parse_i64(digits, out);
}

bool job_id_parse(struct str text, struct job_id *out_id)
{
    return parse(text, STR("job-"), &out_id->v);
}

bool run_id_parse(struct str text, struct run_id *out_id)
{
    return parse(text, STR("run-"), &out_id->v);
}

bool bulk_id_parse(struct str text, struct bulk_id *out_id)
{
    return parse(text, STR("bulk-"), &out_id->v);
}

/* tidy: prefix: names are what people give for ids, and have no file of their own. */
bool name_is_valid(struct str name, size_t max)
{
    if (name.len == 0 || name.len > max) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.ptr[i];
        const bool alnum =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && (i == 0 || c == '\0' || strchr("._:/@+-", c) == NULL)) {
            return false;
        }
    }
    return true;
}
