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
	char line[256]; /* "PORT KIND=PORT...", as the server printed it */
};
bool fault_server_available(void); /* is there a python3? */
/* log: a file that gets one line per request, or NULL; tls: a folder for its certificates, or NULL. False: it did not start. */
bool fault_server_start(struct fault_server *s, const char *log, const char *tls);
unsigned fault_server_port(const struct fault_server *s, const char *kind); /* 0: it has none of that kind */
void fault_server_stop(struct fault_server *s);
#endif
