#include "cli/context.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/parse.h"

enum { FILE_BYTES_MAX = 1024 * 1024, PRIVATE = 0600, PRIVATE_FOLDER = 0700 };

/* Null when neither variable says where configuration lies. */
static const char *folder(struct cli_call *call)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    if (config != NULL && config[0] == '/') {
        return arena_format(&call->arena, "%s/stella", config).ptr;
    }
    return home != NULL && home[0] == '/'
               ? arena_format(&call->arena, "%s/.config/stella", home).ptr
               : NULL;
}

static const char *file_name(struct cli_call *call)
{
    const char *in = folder(call);
    return in != NULL ? arena_format(&call->arena, "%s/contexts.json", in).ptr : NULL;
}

static int read_file(struct cli_call *call, const char *path, int fd, json_t **out)
{
    struct stat info;
    struct err err = {0};
    if (fstat(fd, &info) != 0 || (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return cli_fail(call, CLI_USAGE, "usage",
                        arena_format(&call->arena, "chmod 600 %s", path).ptr,
                        "others can read or change %s", path);
    }
    char *text = arena_array(&call->arena, char, FILE_BYTES_MAX);
    const ssize_t n = read(fd, text, FILE_BYTES_MAX);
    if (n < 0 || json_read((struct str){text, (size_t)n}, out, &err) != ERR_OK ||
        !json_is_object(json_object_get(*out, "contexts"))) {
        json_decref(*out);
        *out = NULL;
        return cli_fail(call, CLI_USAGE, "usage",
                        "remove it and make the contexts again with `contexts add`",
                        "%s is not a file of contexts%s%s", path,
                        err.message[0] != '\0' ? ": " : "", err.message);
    }
    return CLI_OK;
}

int cli_context_read(struct cli_call *call, json_t **out)
{
    const char *path = file_name(call);
    const int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    *out = NULL;
    /* A folder that this user may not enter is somebody else's home (sudo -u). */
    if (fd < 0 && path != NULL && errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
        return cli_fail(call, CLI_USAGE, "io", "check who owns it", "%s cannot be read: %s", path,
                        strerror(errno));
    }
    if (fd < 0) {
        *out = json_pack("{s:{},s:n}", "contexts", "current");
        CHECK(*out != NULL);
        return CLI_OK;
    }
    const int status = read_file(call, path, fd, out);
    (void)close(fd);
    return status;
}

/* Both folders may be missing on a fresh machine. */
static void make_folders(struct cli_call *call, const char *path)
{
    char *parent = arena_cstr(&call->arena, str_from(path));
    char *slash = strrchr(parent, '/');
    *slash = '\0';
    (void)mkdir(parent, PRIVATE_FOLDER); /* What fails here fails again when the file is made. */
    (void)mkdir(path, PRIVATE_FOLDER);
}

int cli_context_write(struct cli_call *call, const json_t *document)
{
    const char *path = file_name(call);
    if (path == NULL) {
        return cli_fail(call, CLI_USAGE, "usage", "set HOME or XDG_CONFIG_HOME",
                        "there is no folder for configuration");
    }
    make_folders(call, folder(call));
    const char *part = arena_format(&call->arena, "%s.part", path).ptr;
    (void)unlink(part); /* Left by one that was interrupted. */
    const int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, PRIVATE);
    if (fd < 0) {
        return cli_fail(call, CLI_FAILED, "io", "", "%s cannot be made: %s", part, strerror(errno));
    }
    const bool is_written = json_dumpfd(document, fd, JSON_INDENT(2) | JSON_SORT_KEYS) == 0 &&
                            write(fd, "\n", 1) == 1 && fsync(fd) == 0;
    if (close(fd) != 0 || !is_written || rename(part, path) != 0) {
        (void)unlink(part);
        return cli_fail(call, CLI_FAILED, "io", "", "%s cannot be written: %s", path,
                        strerror(errno));
    }
    return CLI_OK;
}

int cli_context_unknown(struct cli_call *call, const json_t *document, const char *name)
{
    struct cli_nearest nearest = {.word = name};
    const char *known = NULL;
    json_t *ignored = NULL;
    json_object_foreach(json_object_get(document, "contexts"), known, ignored)
    {
        cli_nearest_add(&nearest, known);
    }
    const char *hint = nearest.best != NULL
                           ? arena_format(&call->arena, "did you mean %s?", nearest.best).ptr
                           : "`contexts list` shows them, `contexts add` makes one";
    return cli_fail(call, CLI_NOT_FOUND, "not_found", hint, "there is no context \"%s\"", name);
}

static const char *member(struct cli_call *call, const json_t *context, const char *name)
{
    const struct str text = json_text(json_object_get(context, name));
    return text.len > 0 ? arena_cstr(&call->arena, text) : NULL;
}

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value != NULL && value[0] != '\0';
}

int cli_context_choose(struct cli_call *call)
{
    const char *option = cli_value(call, "context");
    const char *name = option;
    json_t *document = NULL;
    if (cli_value(call, "server") != NULL && option != NULL) {
        return cli_fail(call, CLI_USAGE, "usage", "", "give either --context or --server");
    }
    if (option == NULL && (cli_value(call, "server") != NULL || is_set("STELLA_SERVER"))) {
        return CLI_OK;
    }
    int status = cli_context_read(call, &document);
    if (status != CLI_OK) {
        return status;
    }
    if (name == NULL) {
        name =
            is_set("STELLA_CONTEXT") ? getenv("STELLA_CONTEXT") : member(call, document, "current");
    }
    const json_t *context =
        name != NULL ? json_object_get(json_object_get(document, "contexts"), name) : NULL;
    if (context != NULL) {
        call->context = (struct cli_context){
            .name = arena_cstr(&call->arena, str_from(name)),
            .server = member(call, context, "server"),
            .tenant = member(call, context, "tenant"),
            .token_file = member(call, context, "token_file"),
            .is_explicit = option != NULL,
        };
    } else if (name != NULL) {
        status = cli_context_unknown(call, document, name);
    }
    json_decref(document);
    return status;
}
