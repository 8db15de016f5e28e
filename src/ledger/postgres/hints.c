/*
 * ledger/postgres/hints - NOTIFY and LISTEN on a connection of their own.
 */
#include <poll.h>
#include <stdlib.h>

#include "base/check.h"
#include "ledger/postgres/postgres.h"
#include "ledger/postgres/session.h"

struct postgres_hints {
    struct hints hints;
    struct session session;
    struct params params;
    struct buf text; /* The hint that was received last. */
};

static enum err_code ask(struct postgres_hints *h, const char *statement, struct params *params,
                         struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;
    TRY(session_send(&h->session, statement, params, err));
    TRY(session_sync(&h->session, err));
    TRY(session_next(&h->session, SESSION_WAIT_MS, &result, err));
    return session_end(&h->session, SESSION_WAIT_MS, err);
}

static enum err_code listen_anew(struct postgres_hints *h, bool *out_anew, struct err *err)
{
    *out_anew = !session_is_alive(&h->session);
    if (!*out_anew) {
        return ERR_OK;
    }
    TRY(session_connect(&h->session, err));
    const enum err_code code = ask(h, "listen", NULL, err);
    if (code != ERR_OK) {
        session_drop(&h->session); /* It would be taken for one that listens. */
    }
    return code;
}

static enum err_code send_hint(struct hints *hints, struct str text, struct err *err)
{
    struct postgres_hints *h = (struct postgres_hints *)hints;
    if (h->session.conn == NULL) {
        return session_lost(&h->session, err);
    }
    params_reset(&h->params);
    params_text(&h->params, text);
    return ask(h, "notify", &h->params, err);
}

/* The next hint that is not this connection's own. */
static bool next_hint(struct postgres_hints *h)
{
    bool found = false;
    PGnotify *notice = PQnotifies(h->session.conn);
    while (notice != NULL && !found) {
        found = notice->be_pid != PQbackendPID(h->session.conn);
        if (found) {
            buf_reset(&h->text);
            buf_str(&h->text, str_from(notice->extra));
        }
        PQfreemem(notice);
        notice = found ? NULL : PQnotifies(h->session.conn);
    }
    return found && !h->text.overflow;
}

static enum err_code wait_for_hint(struct hints *hints, int bell, int wait_ms, struct hint *out,
                                   struct err *err)
{
    struct postgres_hints *h = (struct postgres_hints *)hints;
    *out = (struct hint){0};
    TRY(listen_anew(h, &out->missed, err));
    if (out->missed) {
        return ERR_OK;
    }
    if (!next_hint(h)) {
        struct pollfd heard[] = {{.fd = PQsocket(h->session.conn), .events = POLLIN},
                                 {.fd = bell, .events = POLLIN}};
        (void)poll(heard, 2, wait_ms);
        if (!session_is_alive(&h->session)) {
            return session_lost(&h->session, err);
        }
        if (!next_hint(h)) {
            return ERR_OK;
        }
    }
    out->text = buf_get(&h->text);
    return ERR_OK;
}

static void close_hints(struct hints *hints)
{
    struct postgres_hints *h = (struct postgres_hints *)hints;
    session_fini(&h->session);
    params_fini(&h->params);
    buf_fini(&h->text);
    free(h);
}

struct hints *postgres_hints_new(const struct ledger_target *target)
{
    struct postgres_hints *h = calloc(1, sizeof(*h));
    CHECK(h != NULL);
    h->hints = (struct hints){.send = send_hint, .wait = wait_for_hint, .close = close_hints};
    session_init(&h->session, target, SESSION_READER);
    session_add_file(&h->session, &postgres_hints);
    params_init(&h->params);
    buf_init(&h->text, HINT_MAX);
    return &h->hints;
}
