/*
 * producers_check - the four producers over one feed folder, without an orchestrator.
 *
 * It observes every document, evaluates the default or a given policy, and writes the findings, a
 * table of document outcomes and the observations. Exit status 0 when the work was done, whatever
 * the documents are; 1 when it could not be done; 2 for a wrong command line.
 */
#include <errno.h>
#include <fts.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/vec.h"
#include "workers/lib/match.h"
#include "workers/lib/observation.h"

enum {
    LINES_MAX = 1024 * 1024 * 1024,
    INDEX_MAX = 1024 * 1024 * 1024,
    DOCUMENT_ARENA_MAX = 2000 * 1024 * 1024,
};

static const char usage[] =
    "usage: producers_check [options] FOLDER\n"
    "  -f, --findings FILE      write the findings, sorted, one object a line\n"
    "  -t, --table FILE         write path, format, outcome, class, warnings, first rule\n"
    "  -o, --observations FILE  write the observation lines\n"
    "  -p, --policy FILE        use this policy instead of the default\n"
    "  -a, --any                read every file, as whatever it is; no findings\n"
    "  -r, --reverse            take the documents in reverse order\n"
    "      --reference          print the reader's classes and rules as Markdown and stop\n"
    "FOLDER has advisories-osv/ advisories-csaf/ vex/ sbom/ and perhaps subjects.json.\n";

struct options {
    const char *folder;
    const char *findings;
    const char *table;
    const char *observations;
    const char *policy;
    bool any;
    bool reverse;
};

/* Sums of one run, for the summary on standard error. */
struct totals {
    size_t outcomes[OBSERVATION_QUARANTINED + 1];
    size_t quarantines[QUARANTINE_COUNT];
    struct match_counts counts;
    size_t lines_written;
};

struct program {
    struct options options;
    struct arena arena; /* Paths, subjects, policy. */
    VEC(struct str) paths;
    VEC(struct str) sbom_lines;
    struct buf advisory_lines; /* Advisories and VEX. */
    struct buf sbom_buf;
    struct totals totals;
    FILE *table;
    FILE *findings;
};

static bool fail(const char *what, const char *detail)
{
    (void)fprintf(stderr, "producers_check: %s: %s\n", what, detail);
    return false;
}

static bool read_file(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return fail(path, strerror(errno));
    }

    enum { CHUNK = 1 << 16 };

    size_t got = 0;
    do {
        char *room = buf_reserve(out, CHUNK);
        got = room == NULL ? 0 : fread(room, 1, CHUNK, file);
        out->len += got;
    } while (got > 0);
    const bool ok = ferror(file) == 0;
    (void)fclose(file);
    return ok || fail(path, "cannot be read");
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void add_path(struct program *program, const char *path, size_t root_len)
{
    enum document_kind kind;
    struct str below = str_from(path);
    below = str_slice(below, root_len, below.len);
    while (str_starts(below, STR("/"))) {
        below = str_slice(below, 1, below.len);
    }
    if (program->options.any || document_kind_of_path(below, &kind)) {
        const struct str kept = arena_str(&program->arena, below);
        VEC_PUSH(&program->arena, &program->paths, kept);
    }
}

static bool list_documents(struct program *program)
{
    char *roots[] = {(char *)(uintptr_t)program->options.folder, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    if (tree == NULL) {
        return fail(program->options.folder, strerror(errno));
    }
    for (const FTSENT *entry = fts_read(tree); entry != NULL; entry = fts_read(tree)) {
        if (entry->fts_info == FTS_F) {
            add_path(program, entry->fts_path, strlen(program->options.folder));
        }
    }
    (void)fts_close(tree);
    if (program->paths.n > 1) {
        qsort(program->paths.v, program->paths.n, sizeof(struct str), by_bytes);
    }
    return program->paths.n > 0 || fail(program->options.folder, "no documents");
}

static void put_row(struct program *program, struct str path,
                    const struct observation_summary *summary)
{
    const bool refused = summary->outcome == OBSERVATION_QUARANTINED;
    program->totals.outcomes[summary->outcome]++;
    program->totals.quarantines[summary->quarantine]++;
    if (program->table != NULL) {
        (void)fprintf(program->table, "%.*s\t%s\t%s\t%s\t%zu\t%.*s\n", STR_ARG(path),
                      document_format_name(summary->format),
                      observation_outcome_name(summary->outcome),
                      refused ? quarantine_info(summary->quarantine)->name : "-", summary->warnings,
                      summary->first_rule.len > 0 ? (int)summary->first_rule.len : 1,
                      summary->first_rule.len > 0 ? summary->first_rule.ptr : "-");
    }
}

static bool observe(struct program *program, struct str path)
{
    enum document_kind kind = DOCUMENT_ANY;
    struct buf bytes;
    struct arena arena;
    struct observation_summary summary;
    char hex[SHA256_HEX + 1];
    const char *full =
        arena_format(&program->arena, "%s/%.*s", program->options.folder, STR_ARG(path)).ptr;
    buf_init(&bytes, (size_t)DOCUMENT_MAX * 2);
    if (!read_file(full, &bytes)) {
        buf_fini(&bytes);
        return false;
    }
    if (!program->options.any) {
        (void)document_kind_of_path(path, &kind);
    }
    const struct sha256 digest = sha256_of(buf_get(&bytes));
    sha256_format(&digest, hex);
    arena_init(&arena, DOCUMENT_ARENA_MAX);
    const struct observation_source source = {
        .kind = kind, .path = path, .bytes = buf_get(&bytes), .sha256 = str_from(hex)};
    struct buf *lines = kind == DOCUMENT_SBOM ? &program->sbom_buf : &program->advisory_lines;
    observe_document(&arena, &source, lines, &summary);
    put_row(program, path, &summary);
    arena_fini(&arena);
    buf_fini(&bytes);
    return true;
}

static enum err_code write_line(void *ctx, struct str line, struct err *err)
{
    struct program *program = ctx;
    if (program->findings != NULL && fwrite(line.ptr, 1, line.len, program->findings) != line.len) {
        return err_set(err, ERR_IO, "the findings cannot be written: %s", strerror(errno));
    }
    program->totals.lines_written++;
    return ERR_OK;
}

static enum err_code append_line(void *ctx, struct str line, struct err *err)
{
    struct buf *part = ctx;
    buf_str(part, line);
    return part->overflow ? err_set(err, ERR_OUT_OF_BOUNDS, "too many findings") : ERR_OK;
}

static bool read_inputs(struct program *program, struct policy *policy, struct subjects *subjects)
{
    struct err err = {0};
    struct buf text;
    buf_init(&text, DOCUMENT_MAX);
    bool ok = program->options.policy == NULL || read_file(program->options.policy, &text);
    const struct str policy_text =
        program->options.policy == NULL ? policy_default_text() : buf_get(&text);
    if (ok && policy_read(&program->arena, policy_text, policy, &err) != ERR_OK) {
        ok = fail("policy", err.message);
    }
    buf_reset(&text);
    const char *path =
        arena_format(&program->arena, "%s/subjects.json", program->options.folder).ptr;
    struct stat facts;
    if (ok && stat(path, &facts) == 0) {
        ok = read_file(path, &text);
    }
    if (ok && subjects_read(&program->arena, buf_get(&text), subjects, &err) != ERR_OK) {
        ok = fail("subjects.json", err.message);
    }
    buf_fini(&text);
    return ok;
}

static bool match_all(struct program *program, const struct match_index *index,
                      const struct policy *policy, const struct subjects *subjects)
{
    struct err err = {0};
    struct str rest = buf_get(&program->sbom_buf);
    struct str line;
    struct buf part; /* Findings of all SBOMs, each one's sorted; merged at the end. */
    VEC(struct str) parts = {0};
    VEC(size_t) starts = {0};
    buf_init(&part, LINES_MAX);
    enum err_code code = ERR_OK;
    while (code == ERR_OK && str_split(&rest, '\n', &line)) {
        const size_t start = part.len;
        if (line.len > 0) {
            VEC_PUSH(&program->arena, &starts, start);
            code =
                match_sbom(index, line, policy, subjects, (struct finding_sink){&part, append_line},
                           &program->totals.counts, &err);
        }
    }
    for (size_t i = 0; i < starts.n; i++) {
        const size_t end = i + 1 < starts.n ? starts.v[i + 1] : part.len;
        const struct str one = str_slice(buf_get(&part), starts.v[i], end);
        VEC_PUSH(&program->arena, &parts, one);
    }
    if (code == ERR_OK) {
        code = finding_merge(parts.v, parts.n, (struct finding_sink){program, write_line}, &err);
    }
    buf_fini(&part);
    return code == ERR_OK || fail("matching", err.message);
}

static bool evaluate(struct program *program)
{
    struct err err = {0};
    struct policy *policy = arena_new(&program->arena, struct policy);
    struct subjects subjects = {0};
    if (!read_inputs(program, policy, &subjects)) {
        return false;
    }
    struct match_index *index = match_index_new(INDEX_MAX);
    bool ok = true;
    if (match_add_lines(index, buf_get(&program->advisory_lines), &err) != ERR_OK) {
        ok = fail("index", err.message);
    }
    ok = ok && match_all(program, index, policy, &subjects);
    (void)fprintf(stderr, "index: %zu KiB\n", match_index_bytes(index) / 1024);
    match_index_free(index);
    return ok;
}

static void print_summary(const struct program *program)
{
    const struct totals *totals = &program->totals;
    (void)fprintf(stderr, "documents: %zu, accepted %zu, with warnings %zu, quarantined %zu\n",
                  program->paths.n, totals->outcomes[OBSERVATION_ACCEPTED],
                  totals->outcomes[OBSERVATION_WARNINGS],
                  totals->outcomes[OBSERVATION_QUARANTINED]);
    for (enum quarantine q = QUARANTINE_NONE + 1; q < QUARANTINE_COUNT; q++) {
        if (totals->quarantines[q] > 0) {
            (void)fprintf(stderr, "  %s: %zu\n", quarantine_info(q)->name, totals->quarantines[q]);
        }
    }
    if (!program->options.any) {
        (void)fprintf(stderr, "findings: %zu of %zu components (%zu evaluated)\n",
                      totals->counts.findings, totals->counts.components, totals->counts.evaluated);
        for (enum verdict v = VERDICT_FAIL; v < VERDICT_COUNT; v++) {
            (void)fprintf(stderr, "  %s: %zu\n", verdict_name(v), totals->counts.verdicts[v]);
        }
    }
}

static bool open_output(const char *path, FILE **out)
{
    *out = path == NULL ? NULL : fopen(path, "wb");
    return path == NULL || *out != NULL || fail(path, strerror(errno));
}

static bool close_output(FILE *file, const char *path)
{
    return file == NULL || fclose(file) == 0 || fail(path, strerror(errno));
}

static bool write_observations(const struct program *program)
{
    FILE *file = NULL;
    if (!open_output(program->options.observations, &file) || file == NULL) {
        return program->options.observations == NULL;
    }
    const bool ok =
        fwrite(program->advisory_lines.ptr, 1, program->advisory_lines.len, file) ==
            program->advisory_lines.len &&
        fwrite(program->sbom_buf.ptr, 1, program->sbom_buf.len, file) == program->sbom_buf.len;
    return close_output(file, program->options.observations) && ok;
}

static bool run(struct program *program)
{
    bool ok = list_documents(program) && open_output(program->options.table, &program->table) &&
              open_output(program->options.findings, &program->findings);
    for (size_t i = 0; ok && i < program->paths.n; i++) {
        const size_t at = program->options.reverse ? program->paths.n - 1 - i : i;
        ok = observe(program, program->paths.v[at]);
    }
    ok = ok && write_observations(program);
    ok = ok && (program->options.any || evaluate(program));
    ok = close_output(program->table, program->options.table) && ok;
    ok = close_output(program->findings, program->options.findings) && ok;
    print_summary(program);
    return ok;
}

static void print_reference(void)
{
    (void)printf("# What the producers say of documents\n\n"
                 "Written by `producers_check --reference`; do not edit.\n\n"
                 "## Classes of quarantine\n\n"
                 "A document of one of these is kept verbatim and not used.\n\n"
                 "| class | meaning |\n|---|---|\n");
    for (enum quarantine q = QUARANTINE_NONE + 1; q < QUARANTINE_COUNT; q++) {
        (void)printf("| `%s` | %s |\n", quarantine_info(q)->name, quarantine_info(q)->sentence);
    }
    (void)printf("\n## Rules\n\n"
                 "Breaking one is a warning `{rule, pointer}`; the document is used.\n\n"
                 "| rule | what it asks for |\n|---|---|\n");
    for (enum rule r = 0; r < RULE_COUNT; r++) {
        (void)printf("| `%s` | %s |\n", rule_info(r)->name, rule_info(r)->sentence);
    }
}

static bool parse_options(int argc, char **argv, struct options *out, bool *out_reference)
{
    static const struct option longs[] = {{"findings", required_argument, NULL, 'f'},
                                          {"table", required_argument, NULL, 't'},
                                          {"observations", required_argument, NULL, 'o'},
                                          {"policy", required_argument, NULL, 'p'},
                                          {"any", no_argument, NULL, 'a'},
                                          {"reverse", no_argument, NULL, 'r'},
                                          {"reference", no_argument, NULL, 'R'},
                                          {NULL, 0, NULL, 0}};
    for (int c = 0; (c = getopt_long(argc, argv, "f:t:o:p:ar", longs, NULL)) != -1;) {
        switch (c) {
        case 'f': out->findings = optarg; break;
        case 't': out->table = optarg; break;
        case 'o': out->observations = optarg; break;
        case 'p': out->policy = optarg; break;
        case 'a': out->any = true; break;
        case 'r': out->reverse = true; break;
        case 'R': *out_reference = true; break;
        default: return false;
        }
    }
    out->folder = optind + 1 == argc ? argv[optind] : NULL;
    return out->folder != NULL || *out_reference;
}

int main(int argc, char **argv)
{
    struct program program = {0};
    bool reference = false;
    if (!parse_options(argc, argv, &program.options, &reference)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    if (reference) {
        print_reference();
        return 0;
    }
    arena_init(&program.arena, INDEX_MAX);
    buf_init(&program.advisory_lines, LINES_MAX);
    buf_init(&program.sbom_buf, LINES_MAX);
    const bool ok = run(&program);
    buf_fini(&program.sbom_buf);
    buf_fini(&program.advisory_lines);
    arena_fini(&program.arena);
    return ok ? 0 : 1;
}
