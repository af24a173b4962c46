/* SPDX-License-Identifier: MIT */
/*
 * The guard of a program: a process of ours between the one that started the program and the program, to which every process comes that
 * the program leaves behind. Its link is a stream socket. When the program has ended, its wait status (an int) goes up on it; when
 * the other end is closed, in whatever way the process there went, everything that came of the program is killed.
 */
#ifndef PROC_GUARD_H
#define PROC_GUARD_H
#include <stdbool.h>

/* True in a child that is to become the program; the guard itself does not return. False: no process could be made (errno). */
bool guard_fork(int link);
#endif
