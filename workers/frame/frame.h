/*
 * workers/frame - what every producer program has around its handlers: options, log, draining.
 *
 * Use      int main(argc, argv) { return frame_main(argc, argv, &program); }
 * Threads  handlers get the same const struct frame on every slot.
 * Errors   exit status 0: drained in order; 1: the server refused it; 2: the command line is wrong.
 */
#ifndef WORKERS_FRAME_FRAME_H
#define WORKERS_FRAME_FRAME_H

#include <stella/worker.h>

#include "workers/fetch/fetch.h"

/* What a handler gets as its context. */
struct frame {
    struct fetch_config fetch; /* What may be read, from where. */
    const void *data;          /* The program's own. */
};

struct frame_type {
    const char *type; /* "advisory.ingest" */
    stella_handler *handler;
};

struct frame_program {
    const char *name;  /* "stella-advisory" */
    const char *about; /* One sentence for --help. */
    const struct frame_type *types;
    size_t types_n;
    const void *data; /* Given to the handlers in struct frame. */
};

/* Logs one formatted line for the job, cut at FRAME_LINE_MAX bytes. What users read it for: what
 * was fetched, what was wrong with it, what came of it. Debug lines are for `jobs logs` alone. */
enum { FRAME_LINE_MAX = 1024 };

void frame_say(struct stella_job *job, int32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int frame_main(int argc, char **argv, const struct frame_program *program);

#endif
