#include "workers/lib/match.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/json.h"
#include "workers/lib/match_index.h"
#include "workers/lib/match_scope.h"

enum {
    FINDINGS_BYTES_MAX = 1024 * 1024 * 1024, /* Of one SBOM. */
};

/* One SBOM being matched. */
struct run {
    const struct match_index *index;
    const struct policy *policy;
    struct scope_view view;
    struct arena arena;
    struct str sbom; /* Path. */
    struct buf lines;
    VEC(size_t) starts; /* Of each line in `lines`. */
    struct match_counts *counts;
};

static struct str copy_text(struct run *run, const json_t *value)
{
    return arena_str(&run->arena, json_text(value));
}

/* The rows of one advisory for one component: its entries for the package, taken together. */
struct joined {
    enum affected affected;
    struct str fixed;
    bool informational;
};

static struct joined join_entries(const struct index_package *package, size_t from, size_t to,
                                  struct str version)
{
    const enum version_scheme scheme = ecosystem_info(package->ecosystem)->scheme;
    struct joined joined = {.affected = AFFECTED_NO};
    for (size_t i = from; i < to; i++) {
        const struct index_entry *entry = &package->entries.v[i];
        const struct affects_answer answer = affects_decide(scheme, &entry->affects, version);
        joined.informational |= entry->informational;
        if (answer.affected == AFFECTED_YES) {
            joined.affected = AFFECTED_YES;
            joined.fixed = joined.fixed.len == 0 ? answer.fixed : joined.fixed;
        } else if (answer.affected == AFFECTED_UNKNOWN && joined.affected == AFFECTED_NO) {
            joined.affected = AFFECTED_UNKNOWN;
        }
    }
    if (package->entries.v[from].advisory->withdrawn) {
        joined.affected = AFFECTED_NO;
        joined.fixed = (struct str){NULL, 0};
    }
    return joined;
}

static void add_finding(struct run *run, const struct finding *finding)
{
    const size_t start = run->lines.len;
    finding_format(&run->lines, finding);
    VEC_PUSH(&run->arena, &run->starts, start);
    run->counts->findings++;
    run->counts->verdicts[finding->verdict]++;
}

static void match_advisory(struct run *run, const struct scope_component *component,
                           const struct index_package *package, size_t from, size_t to)
{
    const struct index_advisory *advisory = package->entries.v[from].advisory;
    const struct joined joined = join_entries(package, from, to, component->purl.purl.version);
    struct finding finding = {.sbom = run->sbom,
                              .component = component->text,
                              .advisory = advisory->id,
                              .cve = advisory->cve,
                              .affected = joined.affected,
                              .fixed = joined.fixed};
    if (joined.affected != AFFECTED_NO) {
        scope_decide(run->index, &run->view, component, advisory, &finding.vex, &finding.vex_hint);
    }
    finding.verdict =
        policy_decide(run->policy, &(struct policy_facts){.affected = joined.affected,
                                                          .vex = finding.vex.status,
                                                          .ecosystem = package->ecosystem,
                                                          .informational = joined.informational});
    add_finding(run, &finding);
}

static void match_component(struct run *run, const struct scope_component *component)
{
    run->counts->components++;
    if (!component->purl.usable) {
        return;
    }
    const enum ecosystem ecosystem = ecosystem_from_purl_type(component->purl.purl.type);
    if (ecosystem == ECOSYSTEM_NONE) {
        return;
    }
    run->counts->evaluated++;
    const struct str name = purl_full_name(&run->arena, &component->purl.purl);
    const struct index_package *package =
        map_find_str(&run->index->packages, match_package_key(&run->arena, ecosystem, name));
    const size_t n = package == NULL ? 0 : package->entries.n;
    for (size_t from = 0; from < n;) {
        size_t to = from + 1;
        while (to < n && package->entries.v[to].advisory == package->entries.v[from].advisory) {
            to++;
        }
        match_advisory(run, component, package, from, to);
        from = to;
    }
}

/* Hands the lines on, sorted. */
static enum err_code emit(struct run *run, struct finding_sink sink, struct err *err)
{
    const size_t n = run->starts.n;
    if (run->lines.overflow) {
        return err_set(err, ERR_OUT_OF_BOUNDS, "the findings of one SBOM pass %d bytes",
                       FINDINGS_BYTES_MAX);
    }
    struct str *lines = arena_array(&run->arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        const size_t end = i + 1 < n ? run->starts.v[i + 1] : run->lines.len;
        lines[i] = str_slice(buf_get(&run->lines), run->starts.v[i], end);
    }
    return finding_sort(lines, n, sink, err);
}

/* What the SBOM and its operator say it is about. */
static void add_subjects(struct run *run, const json_t *body, const struct subjects *subjects)
{
    const json_t *own = json_object_get(body, "subjects");
    const struct subjects_list *told = subjects_find(subjects, run->sbom);
    for (size_t i = 0; i < json_array_size(own); i++) {
        const json_t *subject = json_array_get(own, i);
        scope_add_subject(&run->arena, &run->view, copy_text(run, json_object_get(subject, "purl")),
                          copy_text(run, json_object_get(subject, "ref")),
                          copy_text(run, json_object_get(subject, "version")));
    }
    for (size_t i = 0; told != NULL && i < told->n; i++) {
        scope_add_subject(&run->arena, &run->view, told->purls[i], STR(""), STR(""));
    }
}

static void add_components(struct run *run, const json_t *body)
{
    const json_t *components = json_object_get(body, "components");
    for (size_t i = 0; i < json_array_size(components); i++) {
        const json_t *component = json_array_get(components, i);
        const json_t *refs = json_object_get(component, "refs");
        const size_t n = json_array_size(refs);
        struct str *texts = arena_array(&run->arena, struct str, n + 1);
        for (size_t r = 0; r < n; r++) {
            texts[r] = copy_text(run, json_array_get(refs, r));
        }
        scope_add_component(&run->arena, &run->view,
                            copy_text(run, json_object_get(component, "purl")), texts, n);
    }
}

static enum err_code match_body(struct run *run, const json_t *body,
                                const struct subjects *subjects, struct finding_sink sink,
                                struct err *err)
{
    run->view.bom = match_bom_key(&run->arena, json_object_get(body, "bom"));
    add_components(run, body);
    add_subjects(run, body, subjects);
    scope_seal(&run->view);
    for (size_t i = 0; i < run->view.components.n; i++) {
        match_component(run, run->view.components.v[i]);
    }
    return emit(run, sink, err);
}

static enum err_code match_line(struct run *run, const json_t *line,
                                const struct subjects *subjects, struct finding_sink sink,
                                struct err *err)
{
    const json_t *body = json_object_get(line, "body");
    if (!str_eq(json_text(json_object_get(line, "kind")), STR("sbom"))) {
        return err_set(err, ERR_UNPROCESSABLE, "a line is no observation of an SBOM");
    }
    run->sbom = copy_text(run, json_object_get(line, "path"));
    return json_is_object(body) ? match_body(run, body, subjects, sink, err) : ERR_OK;
}

enum err_code match_sbom(const struct match_index *index, struct str sbom_line,
                         const struct policy *policy, const struct subjects *subjects,
                         struct finding_sink sink, struct match_counts *counts, struct err *err)
{
    struct run run = {.index = index, .policy = policy, .counts = counts};
    json_t *line = NULL;
    TRY(json_read(str_trim(sbom_line), &line, err));
    arena_init(&run.arena, SIZE_MAX / 2);
    buf_init(&run.lines, FINDINGS_BYTES_MAX);
    const enum err_code code = match_line(&run, line, subjects, sink, err);
    buf_fini(&run.lines);
    arena_fini(&run.arena);
    json_decref(line);
    return code;
}
