#include "workers/lib/statement.h"

#include "workers/lib/write.h"

bool statement_is_purl(struct str text)
{
    return str_starts(text, STR("pkg:"));
}

void statement_begin(struct json_writer *out, const struct statement_head *head)
{
    json_put_object(out);
    JSON_INT(out, "index", (int64_t)head->index);
    write_time(out, STR("issued"), head->issued);
    write_text(out, STR("justification"), head->justification);
    JSON_KEY(out, "products");
    json_put_array(out);
}

static void put_list(struct json_writer *out, struct str key, const struct str *texts, size_t n)
{
    json_put_key(out, key);
    json_put_array(out);
    for (size_t i = 0; i < n; i++) {
        json_put_str(out, texts[i]);
    }
    json_put_array_end(out);
}

void statement_product(struct json_writer *out, const struct statement_product *product)
{
    json_put_object(out);
    JSON_STR(out, "id", product->id);
    if (product->has_link) {
        JSON_KEY(out, "link");
        json_put_object(out);
        JSON_STR(out, "element", product->link_element);
        JSON_STR(out, "serial", product->link_serial);
        JSON_INT(out, "version", product->link_version);
        json_put_object_end(out);
    }
    write_text(out, STR("purl"), product->purl);
    put_list(out, STR("subcomponents"), product->subcomponents, product->subcomponents_count);
    if (product->versions_count > 0 || product->versions_open) {
        put_list(out, STR("versions"), product->versions, product->versions_count);
        JSON_BOOL(out, "versions_open", product->versions_open);
    }
    json_put_object_end(out);
}

void statement_end(struct json_writer *out, enum vex_status status, struct str state,
                   const struct str *names, size_t names_count)
{
    json_put_array_end(out);
    JSON_STR(out, "state", state);
    JSON_STR(out, "status", str_from(vex_status_name(status)));
    put_list(out, STR("vulnerability"), names, names_count);
    json_put_object_end(out);
}
