/* SPDX-License-Identifier: MIT */
/*
 * Which system calls a process may make: BPF filters by libseccomp (seccomp(2)). What only an attack would call ends the process with
 * SIGSYS; what else is not on a list gives an error that libraries live with. Filters stay for good and pass to what is started.
 */
#ifndef PROC_SECCOMP_H
#define PROC_SECCOMP_H
#include "base/diag.h"

enum seccomp_role {
	SECCOMP_LOAD, /* a worker that loads a plugin: files and executable memory, but no network, process or signal */
	SECCOMP_SEALED, /* a worker at work: reading, writing and memory of what it has open */
	SECCOMP_BROKER, /* network, files, threads; no programs, no tracing, no memory that can be written and executed */
	SECCOMP_PROGRAM, /* a source's program: processes and files; no network, no tracing, nothing of the system's administration */
	SECCOMP_PROGRAM_ALONE, /* the same where there is no Landlock: opens nothing to write to */
};
/* GLANE_E_DENIED: the kernel does not do it. Needs no_new_privs. */
glane_rc seccomp_confine(enum seccomp_role role, struct diag *d);
#endif
