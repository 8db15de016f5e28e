/* artifacts: bytes by content hash. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/nouns.h"
#include "cli/print.h"
#include "cli/shapes.h"

static const struct cli_column COLUMNS[] = {
    {"NAME", "name", CLI_TEXT},         {"ROLE", "role", CLI_TEXT},
    {"SIZE", "size", CLI_NUMBER},       {"JOB", "job", CLI_TEXT},
    {"ATTEMPT", "attempt", CLI_NUMBER}, {"MEDIA TYPE", "media_type", CLI_TEXT},
    {"SHA-256", "sha256", CLI_TEXT},
};
const struct cli_shape cli_artifact_shape = {"sha256", COLUMNS, CLI_COUNT(COLUMNS)};

enum { CHUNK = 64 * 1024 };

static int list(struct cli_call *call)
{
    if ((cli_value(call, "job") == NULL) == (cli_value(call, "run") == NULL)) {
        return cli_fail(call, CLI_USAGE, "usage", "add --help for examples",
                        "give either --job or --run");
    }
    struct str path = cli_query(call, STR("/artifacts"), "job", cli_value(call, "job"));
    return cli_list(call, cli_query(call, path, "run", cli_value(call, "run")),
                    &cli_artifact_shape);
}

static int lineage(struct cli_call *call)
{
    static const struct cli_shape shape = {"sha256", NULL, 0};
    return cli_get_and_show(call, cli_path(call, "/artifacts/%s/lineage", cli_argument(call, 0)),
                            &shape);
}

/* The digest of a stream from its beginning, and its length. */
static int digest_of(struct cli_call *call, FILE *file, const char *path,
                     char out_hex[SHA256_HEX + 1], int64_t *out_size)
{
    char chunk[CHUNK];
    size_t n = 0;
    struct sha256_stream *stream = sha256_stream_new();
    rewind(file);
    *out_size = 0;
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        sha256_stream_add(stream, (struct str){chunk, n});
        *out_size += (int64_t)n;
    }
    const struct sha256 digest = sha256_stream_finish(stream);
    sha256_stream_free(stream);
    sha256_format(&digest, out_hex);
    return ferror(file) == 0 ? CLI_OK
                             : cli_fail(call, CLI_FAILED, "io", "", "%s cannot be read", path);
}

/* Into `file`, then compared with the digest that was asked for. */
static int fetch(struct cli_call *call, FILE *file, const char *path, const char *sha256)
{
    struct cli_reply reply;
    char hex[SHA256_HEX + 1];
    int64_t size = 0;
    int status = cli_send(call,
                          &(struct cli_request){.method = "GET",
                                                .path = cli_path(call, "/artifacts/%s", sha256),
                                                .download = file},
                          &reply);
    if (status != CLI_OK) {
        return status;
    }
    json_decref(reply.json);
    status = fflush(file) == 0
                 ? digest_of(call, file, path, hex, &size)
                 : cli_fail(call, CLI_FAILED, "io", "", "%s: %s", path, strerror(errno));
    if (status == CLI_OK && strcmp(hex, sha256) != 0) {
        return cli_fail(call, CLI_FAILED, "digest_mismatch", "download it again",
                        "the bytes that came have digest %s", hex);
    }
    return status;
}

/* Written beside the target and renamed, so that the target is never half a file. */
static int download_to(struct cli_call *call, const char *path, const char *sha256)
{
    const char *part = arena_format(&call->arena, "%s.part", path).ptr;
    FILE *file = fopen(part, "w+e");
    if (file == NULL) {
        return cli_fail(call, CLI_FAILED, "io", "", "%s cannot be written: %s", part,
                        strerror(errno));
    }
    int status = fetch(call, file, part, sha256);
    if (fclose(file) != 0 && status == CLI_OK) {
        status = cli_fail(call, CLI_FAILED, "io", "", "%s: %s", part, strerror(errno));
    }
    if (status == CLI_OK && rename(part, path) != 0) {
        status = cli_fail(call, CLI_FAILED, "io", "", "%s: %s", path, strerror(errno));
    }
    if (status != CLI_OK) {
        (void)unlink(part);
    }
    return status;
}

/* To stdout, through a file without a name, so that only checked bytes are printed. */
static int download_to_stdout(struct cli_call *call, const char *sha256)
{
    char chunk[CHUNK];
    size_t n = 0;
    FILE *file = tmpfile();
    if (file == NULL) {
        return cli_fail(call, CLI_FAILED, "io", "", "no temporary file: %s", strerror(errno));
    }
    const int status = fetch(call, file, "the temporary file", sha256);
    rewind(file);
    while (status == CLI_OK && (n = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        (void)fwrite(chunk, 1, n, call->out);
    }
    (void)fclose(file);
    return status;
}

static int download(struct cli_call *call)
{
    const char *path = cli_value(call, "out");
    const char *sha256 = cli_argument(call, 0);
    struct sha256 digest;
    if (!sha256_parse(str_from(sha256), &digest)) {
        return cli_fail(call, CLI_USAGE, "usage", "`artifacts list --run RUN -o name` shows them",
                        "\"%s\" is not 64 lower-case hexadecimal digits", sha256);
    }
    return path != NULL ? download_to(call, path, sha256) : download_to_stdout(call, sha256);
}

static int upload(struct cli_call *call)
{
    const char *path = cli_argument(call, 0);
    const char *media = cli_value(call, "media-type");
    char hex[SHA256_HEX + 1];
    int64_t size = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return cli_fail(call, CLI_USAGE, "io", "", "%s cannot be opened: %s", path,
                        strerror(errno));
    }
    int status = digest_of(call, file, path, hex, &size);
    struct cli_reply reply = {0};
    if (status == CLI_OK) {
        status = cli_send(
            call,
            &(struct cli_request){.method = "PUT",
                                  .path = cli_path(call, "/artifacts/%s", hex),
                                  .media_type = media != NULL ? media : "application/octet-stream",
                                  .upload = file,
                                  .upload_size = size},
            &reply);
    }
    (void)fclose(file);
    if (status == CLI_OK) {
        json_decref(reply.json);
        fprintf(call->out, "%s\n", hex);
        cli_note(call, "%s.", reply.status == 201 ? "Stored" : "It was there already");
    }
    return status;
}

static const struct cli_option LIST_OPTIONS[] = {
    {"job", 0, "JOB", "What this job read and made"},
    {"run", 0, "RUN", "What the jobs of this run read and made"},
};
static const struct cli_option DOWNLOAD_OPTIONS[] = {
    {"out", 0, "FILE", "Write here (default: stdout)"},
};
static const struct cli_option UPLOAD_OPTIONS[] = {
    {"media-type", 0, "TYPE", "Kept with it (default application/octet-stream)"},
};

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List artifacts of a job or run",
     "stella orchestrator artifacts list --run run-4\n"
     "stella orchestrator artifacts list --job job-17 -o name",
     LIST_OPTIONS, CLI_COUNT(LIST_OPTIONS), list},
    {"download", "get", "SHA256", 1, 1, "Fetch the bytes and check them against their digest",
     "stella orchestrator artifacts download "
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 --out findings.jsonl",
     DOWNLOAD_OPTIONS, CLI_COUNT(DOWNLOAD_OPTIONS), download},
    {"upload", "add", "FILE", 1, 1, "Store a file; prints its digest",
     "stella orchestrator artifacts upload bom.json --media-type application/json", UPLOAD_OPTIONS,
     CLI_COUNT(UPLOAD_OPTIONS), upload},
    {"lineage", NULL, "SHA256", 1, 1, "Show which jobs made an artifact and which used it",
     "stella orchestrator artifacts lineage "
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     NULL, 0, lineage},
};

const struct cli_noun cli_artifacts = {"artifacts", "artifact", "What jobs read and made", COMMANDS,
                                       CLI_COUNT(COMMANDS)};
