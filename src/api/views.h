/*
 * api/views - what several resources answer with: jobs, runs, artifacts, pages.
 */
#ifndef API_VIEWS_H
#define API_VIEWS_H

#include "api/call.h"
#include "api/cursor.h"
#include "core/state.h"
#include "query/job_view.h"

/* Reads the job and answers with it, or 404. */
void answer_job(struct call *call, struct job_id job, int status);
void answer_run(struct call *call, struct run_id run);
void put_run(struct json_writer *w, const struct run_row *run);
void put_job(struct json_writer *w, const struct job_view *view);
/* As member "pause". */
void put_pause(struct json_writer *w, const struct pause *pause);
void put_artifact(struct json_writer *w, const struct artifact_row *row);
/* Fills in why those that wait do; the same as the first gate that explain tells. */
enum err_code read_holds(struct call *call, struct reader *reader, struct job_view *views,
                         size_t count);
/* The path argument as an id; false: answered 404. */
bool take_job_id(struct call *call, struct job_id *out);
bool take_run_id(struct call *call, struct run_id *out);
/* A statement about the call's tenant, with shard and tenant as its first arguments. */
struct query tenant_query(struct call *call, const char *name);

/* A page of a listing that is being answered. */
struct page {
    int64_t limit;
    struct cursor at; /* Where it begins; zero for the first page. */
    bool is_first;
    struct str asked;   /* Listing and filters, for the cursor. */
    struct cursor next; /* Where the next one begins … */
    bool has_next;      /* … when there is one. */
};

/* Reads `limit` and `cursor`; `filters` tells listings apart. False: answered. */
bool page_begin(struct call *call, struct page *page, struct str limit, struct str cursor,
                struct str filters);
/* The same of a listing that takes nothing else. */
bool page_take(struct call *call, struct page *page, struct str filters);
/* {"items":[ … then the items … ],"next_cursor":…} */
struct json_writer page_open(struct call *call);
void page_close(struct call *call, struct json_writer *w, const struct page *page);
/* The same for a page that is no array of items: only "next_cursor" and the object's end. */
void page_end(struct call *call, struct json_writer *w, const struct page *page);

#endif
