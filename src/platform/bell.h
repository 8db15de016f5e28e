/*
 * platform/bell - wakes a thread that waits for a socket.
 *
 * Use      the thread polls the bell beside its socket and calls bell_silence() once it woke.
 * Threads  any may ring; one waits. Rings before it woke are one.
 */
#ifndef PLATFORM_BELL_H
#define PLATFORM_BELL_H

/* A descriptor, to be closed with bell_free(). Stops the process when there is none to be had. */
int bell_new(void);
void bell_free(int bell);
void bell_ring(int bell);
void bell_silence(int bell);
/* Waits for a ring, for at most that long. */
void bell_wait(int bell, int wait_ms);

#endif
