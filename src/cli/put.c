#include "cli/put.h"

#include "cli/input.h"
#include "cli/shapes.h"

int cli_put_config(struct cli_call *call, struct str path, struct str body,
                   const struct cli_shape *shape)
{
    const char *version = cli_value(call, "if-match");
    struct cli_reply present = {0};
    if (version == NULL) {
        const int status = cli_send(
            call, &(struct cli_request){.method = "GET", .path = path, .absent_is_ok = true},
            &present);
        if (status != CLI_OK) {
            return status;
        }
        json_decref(present.json);
        version = present.status == 200 && present.etag[0] != '\0' ? present.etag : NULL;
    }
    struct cli_reply reply;
    const int status = cli_send(
        call,
        &(struct cli_request){.method = "PUT", .path = path, .body = body, .if_match = version},
        &reply);
    if (status != CLI_OK) {
        return status;
    }
    cli_show(call, reply.json, shape);
    cli_note(call, "%s.", reply.status == 201 ? "Made" : "Replaced");
    json_decref(reply.json);
    return CLI_OK;
}

int cli_put_named(struct cli_call *call, struct str path, cli_put_fields *fields,
                  const struct cli_shape *shape)
{
    const char *file = cli_value(call, "file");
    struct str body = {0};
    struct buf text;
    struct json_writer w;
    buf_init(&text, CLI_BODY_MAX);
    json_begin(&w, &text);
    int status = file != NULL ? cli_input_file(call, file, &body) : fields(call, &w);
    body = file != NULL ? body : arena_str(&call->arena, buf_get(&text));
    buf_fini(&text);
    return status == CLI_OK ? cli_put_config(call, path, body, shape) : status;
}
