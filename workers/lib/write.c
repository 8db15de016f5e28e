#include "workers/lib/write.h"

#include "base/time.h"

void write_text(struct json_writer *out, struct str key, struct str value)
{
    json_put_key(out, key);
    if (value.len == 0) {
        json_put_null(out);
    } else {
        json_put_str(out, value);
    }
}

void write_time(struct json_writer *out, struct str key, struct str value)
{
    struct wall_time when;
    json_put_key(out, key);
    if (time_parse(value, &when)) {
        json_put_time(out, when.us);
    } else {
        json_put_null(out);
    }
}

void write_texts(struct json_writer *out, struct str key, const json_t *array)
{
    json_put_key(out, key);
    json_put_array(out);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *value = json_array_get(array, i);
        if (json_is_string(value)) {
            json_put_str(out, json_text(value));
        }
    }
    json_put_array_end(out);
}
