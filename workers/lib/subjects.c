#include "workers/lib/subjects.h"

#include "base/json.h"

static enum err_code read_list(struct arena *arena, const char *path, const json_t *value,
                               struct subjects_list *out, struct err *err)
{
    if (!json_is_array(value)) {
        return err_at(err, ERR_UNPROCESSABLE, path, "the subjects of an SBOM are a list");
    }
    out->n = json_array_size(value);
    out->purls = arena_array(arena, struct str, out->n + 1);
    for (size_t i = 0; i < out->n; i++) {
        const struct str purl = json_text(json_array_get(value, i));
        if (purl.len == 0) {
            return err_at(err, ERR_UNPROCESSABLE, path, "a subject is a package URL");
        }
        out->purls[i] = arena_str(arena, purl);
    }
    return ERR_OK;
}

static enum err_code read_all(struct arena *arena, json_t *document, struct subjects *out,
                              struct err *err)
{
    const char *path = NULL;
    json_t *value = NULL;
    if (!json_is_object(document)) {
        return err_set(err, ERR_UNPROCESSABLE, "subjects are an object of SBOM path to list");
    }
    json_object_foreach(document, path, value)
    {
        struct subjects_list *list = arena_new(arena, struct subjects_list);
        TRY(read_list(arena, path, value, list, err));
        map_put_str(arena, &out->by_path, arena_str(arena, str_from(path)), list);
    }
    return ERR_OK;
}

enum err_code subjects_read(struct arena *arena, struct str text, struct subjects *out_subjects,
                            struct err *err)
{
    json_t *document = NULL;
    *out_subjects = (struct subjects){0};
    if (text.len == 0) {
        return ERR_OK;
    }
    TRY(json_read(text, &document, err));
    const enum err_code code = read_all(arena, document, out_subjects, err);
    json_decref(document);
    return code;
}

const struct subjects_list *subjects_find(const struct subjects *subjects, struct str sbom_path)
{
    return subjects == NULL ? NULL : map_find_str(&subjects->by_path, sbom_path);
}
