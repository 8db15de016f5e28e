/*
 * engine/retention - the thread that has removed what no longer has to be kept: tenant by tenant
 * a command (core decides what goes, core/retain.h), then blobs that nobody registered.
 *
 * A run may end anywhere and be repeated by any node: each command is a tick of its own, what is
 * not due changes nothing. It goes slowly: one command at a time, in the queue of control.
 *
 * Threads  retention_run() is its body; it ends when the engine stops.
 */
#ifndef ENGINE_RETENTION_H
#define ENGINE_RETENTION_H

void *retention_run(void *engine);

#endif
