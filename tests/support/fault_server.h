/* SPDX-License-Identifier: MIT */
/* Starts and stops tests/support/fault_server.py. */
#ifndef SUPPORT_FAULT_SERVER_H
#define SUPPORT_FAULT_SERVER_H
#include <stdbool.h>
#include <sys/types.h>

struct fault_server {
	pid_t pid;
	int in; /* the server ends when this is closed, so that no test leaves one behind */
	unsigned port;
};
bool fault_server_available(void); /* is there a python3? */
/* log: a file that gets one line per request, or NULL. False: it did not start. */
bool fault_server_start(struct fault_server *s, const char *log);
void fault_server_stop(struct fault_server *s);
#endif
