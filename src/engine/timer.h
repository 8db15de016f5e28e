/*
 * engine/timer - the thread that knows when something is due: timers of shards, held lanes that
 * may be asked again, claims whose wait is over. It decides nothing: due work is a command.
 *
 * Threads  timer_run() is its body; it ends when the engine has stopped and every claim is
 *          answered.
 */
#ifndef ENGINE_TIMER_H
#define ENGINE_TIMER_H

void *timer_run(void *engine);

#endif
