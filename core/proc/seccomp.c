/* SPDX-License-Identifier: MIT */
/* Filters of system calls: tables of names, and the few calls whose arguments decide. */
#include "proc/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Nothing of ours or of our libraries calls these. */
static const char *const attacks[] = {"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp",
	"bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "mount", "umount", "umount2",
	"pivot_root", "chroot", "fsopen", "fsmount", "move_mount", "open_tree", "mount_setattr", "swapon", "swapoff",
	"reboot", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "setns", "unshare",
	"acct", "quotactl", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "iopl", "ioperm",
	"open_by_handle_at", "fanotify_init", "sethostname", "setdomainname", "syslog", "vhangup", "lookup_dcookie",
	"mknod", "mknodat", "pidfd_getfd"};
/* And these are none of a process that starts no other. Runtimes of programs ask for rings, and do without. */
static const char *const starts[] = {
	"execve", "execveat", "fork", "vfork", "io_uring_setup", "io_uring_enter", "io_uring_register"};
static const char *const rings[] = {"io_uring_setup", "io_uring_enter", "io_uring_register"};

/* Reading, writing and memory. */
static const char *const work[] = {"read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64",
	"lseek", "close", "fstat", "dup", "poll", "ppoll", "select", "pselect6", "sendmsg", "recvmsg", "sendto",
	"recvfrom", "shutdown", "munmap", "mremap", "madvise", "brk", "futex", "clock_gettime", "clock_getres",
	"clock_nanosleep", "nanosleep", "gettimeofday", "time", "getrandom", "exit", "exit_group", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "sigreturn", "sigaltstack", "restart_syscall", "getpid", "gettid", "getppid",
	"getuid", "geteuid", "getgid", "getegid", "getrusage", "times", "sysinfo", "uname", "sched_yield",
	"sched_getaffinity", "rseq", "set_robust_list", "membarrier", "getrlimit", "ugetrlimit", "pipe2"};
/* What ld.so does on top, and the second filter and the second set of rules. */
static const char *const load[] = {"stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2",
	"readlink", "readlinkat", "getcwd", "getdents64", "statfs", "fstatfs", "prctl", "arch_prctl", "seccomp",
	"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "set_tid_address", "fadvise64"};
/* Files by their names: EACCES, so that a library goes on without them. */
static const char *const by_name[] = {"open", "openat", "openat2", "creat", "stat", "lstat", "access", "faccessat",
	"faccessat2", "readlink", "readlinkat", "statfs", "mkdir", "mkdirat", "unlink", "unlinkat", "rename",
	"renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "chmod", "fchmodat", "chown", "lchown",
	"fchownat", "truncate", "getdents64", "chdir"};

static int add(scmp_filter_ctx f, uint32_t action, const char *name, unsigned n, const struct scmp_arg_cmp *args)
{
	const int nr = seccomp_syscall_resolve_name(name);
	int rc;

	if (nr == __NR_SCMP_ERROR || nr < 0)
		return 0; /* this machine, or this libseccomp, has no such call: the default stands */
	rc = seccomp_rule_add_array(f, action, nr, n, args);
	return rc == -EACCES ? 0 : rc; /* it is the default action */
}

static int add_all(scmp_filter_ctx f, uint32_t action, const char *const *names, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add(f, action, names[i], 0, NULL);
	return rc;
}

static struct scmp_arg_cmp masked(unsigned arg, uint64_t mask, uint64_t value)
{
	return (struct scmp_arg_cmp){arg, SCMP_CMP_MASKED_EQ, mask, value};
}

static struct scmp_arg_cmp equal(unsigned arg, uint64_t value)
{
	return (struct scmp_arg_cmp){arg, SCMP_CMP_EQ, value, 0};
}

/* What is half as wide as a register: the kernel does not look at the rest of it, so neither may a rule. */
static struct scmp_arg_cmp word(unsigned arg, uint32_t value)
{
	return masked(arg, UINT32_MAX, value);
}

/* Signals to oneself alone: abort(), and a handler that raises its signal again. */
static int own_signals(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp self = equal(0, (uint64_t)(uint32_t)getpid());
	int rc = add(f, SCMP_ACT_ALLOW, "tgkill", 1, &self);

	return rc ? rc : add(f, SCMP_ACT_ALLOW, "kill", 1, &self);
}

/* The status of what is open, by fstat(): the same call with a name would tell of files that it may not reach. */
static int own_status(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp by_fd = masked(3, AT_EMPTY_PATH, AT_EMPTY_PATH);
	const struct scmp_arg_cmp by_fd_x = masked(2, AT_EMPTY_PATH, AT_EMPTY_PATH);
	int rc = add(f, SCMP_ACT_ALLOW, "newfstatat", 1, &by_fd);

	return rc ? rc : add(f, SCMP_ACT_ALLOW, "statx", 1, &by_fd_x);
}

/* What is done with descriptors and limits. Not F_SETOWN, by which any process gets a signal, nor leases and locks; and limits are asked
 * for, not set: they could be those of any process of the user. */
static int own_descriptors(scmp_filter_ctx f)
{
	static const uint32_t commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL};
	const struct scmp_arg_cmp asked = equal(2, 0);
	int rc = add(f, SCMP_ACT_ALLOW, "prlimit64", 1, &asked);

	for (size_t i = 0; i < N(commands) && rc == 0; i++) {
		const struct scmp_arg_cmp is = word(1, commands[i]);

		rc = add(f, SCMP_ACT_ALLOW, "fcntl", 1, &is);
	}
	return rc;
}

static int plain_memory(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp no_code = masked(2, PROT_EXEC, 0);
	int rc = add(f, SCMP_ACT_ALLOW, "mmap", 1, &no_code);

	rc = rc ? rc : add(f, SCMP_ACT_ALLOW, "mmap2", 1, &no_code);
	return rc ? rc : add(f, SCMP_ACT_ALLOW, "mprotect", 1, &no_code);
}

/* Memory is written or executed, never both. ALLOW where `allow`, else what is both is refused. */
static int no_writable_code(scmp_filter_ctx f, bool allow)
{
	static const char *const calls[] = {"mmap", "mmap2", "mprotect", "pkey_mprotect"};
	int rc = 0;

	for (size_t i = 0; i < N(calls) && rc == 0; i++) {
		const struct scmp_arg_cmp both = masked(2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC);
		const struct scmp_arg_cmp not_written = masked(2, PROT_WRITE, 0);
		const struct scmp_arg_cmp not_code = masked(2, PROT_WRITE | PROT_EXEC, PROT_WRITE);

		if (!allow) {
			rc = add(f, SCMP_ACT_ERRNO(EACCES), calls[i], 1, &both);
			continue;
		}
		rc = add(f, SCMP_ACT_ALLOW, calls[i], 1, &not_written);
		rc = rc ? rc : add(f, SCMP_ACT_ALLOW, calls[i], 1, &not_code);
	}
	return rc;
}

/* Files are opened to read them. openat2 keeps its flags behind a pointer. */
static int read_only(scmp_filter_ctx f)
{
	const uint64_t flags = O_ACCMODE | O_CREAT | O_TRUNC;
	const struct scmp_arg_cmp of_open = masked(1, flags, O_RDONLY), of_openat = masked(2, flags, O_RDONLY);
	int rc = add(f, SCMP_ACT_ALLOW, "open", 1, &of_open);

	return rc ? rc : add(f, SCMP_ACT_ALLOW, "openat", 1, &of_openat);
}

static int fill_load(scmp_filter_ctx f)
{
	int rc = add_all(f, SCMP_ACT_ALLOW, work, N(work));

	rc = rc ? rc : add_all(f, SCMP_ACT_ALLOW, load, N(load));
	rc = rc ? rc : read_only(f);
	rc = rc ? rc : no_writable_code(f, true);
	rc = rc ? rc : own_descriptors(f);
	rc = rc ? rc : own_signals(f);
	rc = rc ? rc : add_all(f, SCMP_ACT_KILL_PROCESS, attacks, N(attacks));
	return rc ? rc : add_all(f, SCMP_ACT_KILL_PROCESS, starts, N(starts));
}

static int fill_sealed(scmp_filter_ctx f)
{
	int rc = add_all(f, SCMP_ACT_ALLOW, work, N(work));

	rc = rc ? rc : add_all(f, SCMP_ACT_ERRNO(EACCES), by_name, N(by_name));
	rc = rc ? rc : plain_memory(f);
	rc = rc ? rc : own_status(f);
	rc = rc ? rc : own_descriptors(f);
	rc = rc ? rc : own_signals(f);
	rc = rc ? rc : add_all(f, SCMP_ACT_KILL_PROCESS, attacks, N(attacks));
	return rc ? rc : add_all(f, SCMP_ACT_KILL_PROCESS, starts, N(starts));
}

/* Of sockets: the Internet's, and the one by which getaddrinfo() learns of this machine's addresses. */
static int internet_only(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp routes[] = {equal(0, AF_NETLINK), {2, SCMP_CMP_NE, NETLINK_ROUTE, 0}};
	int rc = add(f, SCMP_ACT_ERRNO(EACCES), "socket", 2, routes);

	for (unsigned family = 0; family < AF_MAX && rc == 0; family++) {
		const struct scmp_arg_cmp is = equal(0, family);

		if (family != AF_INET && family != AF_INET6 && family != AF_NETLINK)
			rc = add(f, SCMP_ACT_ERRNO(EACCES), "socket", 1, &is);
	}
	if (rc == 0) {
		const struct scmp_arg_cmp beyond = {0, SCMP_CMP_GE, AF_MAX, 0};

		rc = add(f, SCMP_ACT_ERRNO(EACCES), "socket", 1, &beyond);
	}
	return rc;
}

/* Threads, but no processes. clone3 hides its flags behind a pointer; without it glibc takes clone. */
static int threads_only(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp process = masked(0, CLONE_THREAD, 0);
	int rc = add(f, SCMP_ACT_ERRNO(EPERM), "clone", 1, &process);

	return rc ? rc : add(f, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
}

/* A signal to another process, or a limit of it; F_SETOWN and its like send one when a descriptor is ready. */
static int others_signals(scmp_filter_ctx f)
{
	static const char *const calls[] = {"kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"};
	const struct scmp_arg_cmp other = {0, SCMP_CMP_NE, (uint64_t)(uint32_t)getpid(), 0};
	const struct scmp_arg_cmp owner = word(1, F_SETOWN), owner_ex = word(1, 15 /* F_SETOWN_EX */),
				  socket_owner = word(1, FIOSETOWN), socket_group = word(1, SIOCSPGRP);
	int rc = 0;

	for (size_t i = 0; i < N(calls) && rc == 0; i++)
		rc = add(f, SCMP_ACT_ERRNO(EPERM), calls[i], 1, &other);
	rc = rc ? rc : add(f, SCMP_ACT_ERRNO(EPERM), "tkill", 0, NULL);
	rc = rc ? rc : add(f, SCMP_ACT_ERRNO(EPERM), "fcntl", 1, &owner);
	rc = rc ? rc : add(f, SCMP_ACT_ERRNO(EPERM), "fcntl", 1, &owner_ex);
	rc = rc ? rc : add(f, SCMP_ACT_ERRNO(EPERM), "ioctl", 1, &socket_owner);
	rc = rc ? rc : add(f, SCMP_ACT_ERRNO(EPERM), "ioctl", 1, &socket_group);
	return rc ? rc : add(f, SCMP_ACT_ERRNO(EPERM), "pidfd_send_signal", 0, NULL);
}

/* What Landlock leaves open to whoever is not given it: rights and times of files at any version, cutting them off before the third (by
 * their names, or as they are opened for nothing else: openat2 keeps its flags behind a pointer). */
static const char *const marks[] = {"truncate", "truncate64", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown",
	"lchown", "fchown", "fchownat", "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr",
	"fremovexattr", "utime", "utimes", "utimensat", "futimesat"};
/* Memory and messages that outlive their process, and that others of the user have. */
static const char *const shared[] = {"shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl", "semget",
	"semop", "semtimedop", "semctl", "ipc", "mq_open", "mq_unlink"};

/* Of broker and programs alike: nothing of another process, of the terminal, or of a file that is not theirs to write. */
static int no_harm(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp limits[] = {{0, SCMP_CMP_NE, 0, 0}, {2, SCMP_CMP_NE, 0, 0}};
	const struct scmp_arg_cmp inject = word(1, TIOCSTI), paste = word(1, TIOCLINUX);
	int rc = add(f, SCMP_ACT_ERRNO(EPERM), "prlimit64", 2, limits);

	rc = rc ? rc : add(f, SCMP_ACT_ERRNO(EPERM), "ioctl", 1, &inject);
	rc = rc ? rc : add(f, SCMP_ACT_ERRNO(EPERM), "ioctl", 1, &paste);
	rc = rc ? rc : add(f, SCMP_ACT_ERRNO(EPERM), "personality", 0, NULL); /* it could make all memory executable */
	rc = rc ? rc : add_all(f, SCMP_ACT_ERRNO(EACCES), shared, N(shared));
	rc = rc ? rc : add_all(f, SCMP_ACT_ERRNO(EROFS), marks, N(marks));
	return rc ? rc : add(f, SCMP_ACT_ERRNO(ENOSYS), "openat2", 0, NULL);
}

/* Opened with these of its flags: refused. */
static int no_open(scmp_filter_ctx f, uint64_t mask, uint64_t flags)
{
	const struct scmp_arg_cmp of_open = masked(1, mask, flags), of_openat = masked(2, mask, flags);
	int rc = add(f, SCMP_ACT_ERRNO(EROFS), "open", 1, &of_open);

	return rc ? rc : add(f, SCMP_ACT_ERRNO(EROFS), "openat", 1, &of_openat);
}

/* Cut off by whoever opens a file, but not to write. */
static int no_cutting(scmp_filter_ctx f)
{
	int rc = no_open(f, O_TRUNC | O_ACCMODE, O_TRUNC | O_RDONLY);

	return rc ? rc : no_open(f, O_TRUNC | O_ACCMODE, O_TRUNC | O_ACCMODE);
}

/* By what it may not: every update of TLS and resolver libraries brings calls of its own. */
static int fill_broker(scmp_filter_ctx f)
{
	int rc = add_all(f, SCMP_ACT_KILL_PROCESS, attacks, N(attacks));

	rc = rc ? rc : add_all(f, SCMP_ACT_KILL_PROCESS, starts, N(starts));
	rc = rc ? rc : no_writable_code(f, false);
	rc = rc ? rc : no_harm(f);
	rc = rc ? rc : no_cutting(f);
	rc = rc ? rc : internet_only(f);
	rc = rc ? rc : threads_only(f);
	return rc ? rc : others_signals(f);
}

/* A program changes no file whatever its rights are. What it opens to write to, as a shell does /dev/null, is Landlock's business. */
static const char *const changes[] = {"unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2", "link",
	"linkat", "symlink", "symlinkat", "mkdir", "mkdirat", "ftruncate", "ftruncate64", "fallocate"};

/* Interpreters do what they like with memory and processes; signals stay within by Landlock, where it is new enough. */
static int fill_program(scmp_filter_ctx f)
{
	static const char *const network[] = {"socket", "connect", "bind", "listen", "accept", "accept4"};
	int rc = add_all(f, SCMP_ACT_KILL_PROCESS, attacks, N(attacks));
	const struct scmp_arg_cmp namespaces = masked(0, CLONE_NEWUSER, CLONE_NEWUSER);

	rc = rc ? rc : add_all(f, SCMP_ACT_ERRNO(EPERM), rings, N(rings));
	rc = rc ? rc : add_all(f, SCMP_ACT_ERRNO(EACCES), network, N(network));
	rc = rc ? rc : add_all(f, SCMP_ACT_ERRNO(EROFS), changes, N(changes));
	rc = rc ? rc : no_harm(f);
	rc = rc ? rc : no_cutting(f);
	rc = rc ? rc : add(f, SCMP_ACT_ERRNO(EPERM), "clone", 1, &namespaces);
	return rc ? rc : add(f, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
}

/* Without Landlock nothing else keeps it from what the user's other files, devices and processes (/proc/PID/mem) hold: not even /dev/null
 * is opened to write to. */
static int fill_program_alone(scmp_filter_ctx f)
{
	int rc = fill_program(f);

	rc = rc ? rc : no_open(f, O_ACCMODE, O_WRONLY);
	rc = rc ? rc : no_open(f, O_ACCMODE, O_RDWR);
	rc = rc ? rc : no_open(f, O_ACCMODE, O_ACCMODE);
	rc = rc ? rc : no_open(f, O_CREAT, O_CREAT);
	return rc ? rc : add(f, SCMP_ACT_ERRNO(EROFS), "creat", 0, NULL);
}

glane_rc seccomp_confine(enum seccomp_role role, struct diag *d)
{
	static int (*const fill[])(scmp_filter_ctx) = {
		fill_load, fill_sealed, fill_broker, fill_program, fill_program_alone};
	const bool is_list = role == SECCOMP_LOAD || role == SECCOMP_SEALED;
	scmp_filter_ctx f = seccomp_init(is_list ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
	int rc = f ? fill[role](f) : -ENOMEM;

	rc = rc ? rc : seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 0); /* it is set already */
	rc = rc ? rc : seccomp_load(f);
	if (f)
		seccomp_release(f);
	return rc == 0 ? GLANE_OK : fail(d, GLANE_E_DENIED, "seccomp: no filter: %s", strerror(-rc));
}
