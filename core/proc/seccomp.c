/* SPDX-License-Identifier: MIT */
/* Filters of system calls: tables of names, and the few calls whose arguments decide. */
#include "proc/seccomp.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Nothing of ours or of our libraries calls these. */
static const char *const attacks[] = {"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp",
	"bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "mount", "umount", "umount2",
	"pivot_root", "chroot", "fsopen", "fsmount", "move_mount", "open_tree", "mount_setattr", "swapon", "swapoff",
	"reboot", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "setns", "unshare",
	"acct", "quotactl", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "iopl", "ioperm",
	"open_by_handle_at", "fanotify_init", "sethostname", "setdomainname", "syslog", "vhangup", "lookup_dcookie",
	"mknod", "mknodat", "pidfd_getfd", "open_tree_attr", "quotactl_fd"};
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
static const char *const loading[] = {"stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2",
	"readlink", "readlinkat", "getcwd", "getdents64", "statfs", "fstatfs", "arch_prctl", "seccomp",
	"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "set_tid_address", "fadvise64"};
/* Files by their names: EACCES, so that a library goes on without them. */
static const char *const by_name[] = {"open", "openat", "openat2", "creat", "stat", "lstat", "access", "faccessat",
	"faccessat2", "readlink", "readlinkat", "statfs", "mkdir", "mkdirat", "unlink", "unlinkat", "rename",
	"renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "chmod", "fchmodat", "chown", "lchown",
	"fchownat", "truncate", "getdents64", "chdir"};

struct filter {
	scmp_filter_ctx ctx;
	int rc; /* of the first rule that could not be added; what follows does not count */
};

/* Calls that a libseccomp may be too old to know: since Linux 5.1 a new call has one number everywhere, above the base of its machine's ABI
 * (syscall(2); scripts/syscall.tbl of the kernel). */
static const struct {
	const char *name;
	int nr;
} newer[] = {{"quotactl_fd", 443}, {"fchmodat2", 452}, {"setxattrat", 463}, {"removexattrat", 466},
	{"open_tree_attr", 467}, {"file_setattr", 469}};
enum { NR_RINGS = 425, NR_KNOWN = 469, NR_UNKNOWN_END = 512 };

static int number_above_base(int nr)
{
	return seccomp_syscall_resolve_name("io_uring_setup") - NR_RINGS + nr;
}

static int number_of(const char *name)
{
	const int nr = seccomp_syscall_resolve_name(name);

	for (size_t i = 0; nr == __NR_SCMP_ERROR && i < N(newer); i++)
		if (strcmp(newer[i].name, name) == 0)
			return number_above_base(newer[i].nr);
	return nr;
}

static void add_number(struct filter *f, uint32_t action, int nr, unsigned n, const struct scmp_arg_cmp *args)
{
	int rc;

	if (f->rc != 0 || nr < 0)
		return; /* below 0: this machine has no such call: the default stands */
	rc = seccomp_rule_add_array(f->ctx, action, nr, n, args);
	f->rc = rc == -EACCES ? 0 : rc; /* it is the default action */
}

static void add(struct filter *f, uint32_t action, const char *name, unsigned n, const struct scmp_arg_cmp *args)
{
	add_number(f, action, number_of(name), n, args);
}

static void add_all(struct filter *f, uint32_t action, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(f, action, names[i], 0, NULL);
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
static void own_signals(struct filter *f)
{
	const struct scmp_arg_cmp self = equal(0, (uint64_t)(uint32_t)getpid());

	add(f, SCMP_ACT_ALLOW, "tgkill", 1, &self);
	add(f, SCMP_ACT_ALLOW, "kill", 1, &self);
}

/* The status of what is open, by fstat(). With a name, and the same flag, the call tells size and times of any file: a filter sees no
 * names, and Landlock leaves them. */
static void own_status(struct filter *f)
{
	const struct scmp_arg_cmp by_fd = masked(3, AT_EMPTY_PATH, AT_EMPTY_PATH);
	const struct scmp_arg_cmp by_fd_x = masked(2, AT_EMPTY_PATH, AT_EMPTY_PATH);

	add(f, SCMP_ACT_ALLOW, "newfstatat", 1, &by_fd);
	add(f, SCMP_ACT_ALLOW, "statx", 1, &by_fd_x);
}

/* What is done with descriptors and limits. Not F_SETOWN, by which any process gets a signal, nor leases and locks; and limits are asked
 * for, not set: they could be those of any process of the user. */
static void own_descriptors(struct filter *f)
{
	static const uint32_t commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL};
	const struct scmp_arg_cmp asked = equal(2, 0);

	add(f, SCMP_ACT_ALLOW, "prlimit64", 1, &asked);
	for (size_t i = 0; i < N(commands); i++) {
		const struct scmp_arg_cmp is = word(1, commands[i]);

		add(f, SCMP_ACT_ALLOW, "fcntl", 1, &is);
	}
}

static void plain_memory(struct filter *f)
{
	const struct scmp_arg_cmp no_code = masked(2, PROT_EXEC, 0);

	add(f, SCMP_ACT_ALLOW, "mmap", 1, &no_code);
	add(f, SCMP_ACT_ALLOW, "mmap2", 1, &no_code);
	add(f, SCMP_ACT_ALLOW, "mprotect", 1, &no_code);
}

/* Memory is written or executed, never both. ALLOW where `allow`, else what is both is refused. */
static void no_writable_code(struct filter *f, bool allow)
{
	static const char *const calls[] = {"mmap", "mmap2", "mprotect", "pkey_mprotect"};

	for (size_t i = 0; i < N(calls); i++) {
		const struct scmp_arg_cmp both = masked(2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC);
		const struct scmp_arg_cmp not_written = masked(2, PROT_WRITE, 0);
		const struct scmp_arg_cmp not_code = masked(2, PROT_WRITE | PROT_EXEC, PROT_WRITE);

		if (!allow) {
			add(f, SCMP_ACT_ERRNO(EACCES), calls[i], 1, &both);
			continue;
		}
		add(f, SCMP_ACT_ALLOW, calls[i], 1, &not_written);
		add(f, SCMP_ACT_ALLOW, calls[i], 1, &not_code);
	}
}

/* What the second layer is set up with. Not what would let it outlive its parent, or have it debugged. */
static void own_layers(struct filter *f)
{
	static const uint32_t options[] = {PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_SET_SECCOMP,
		PR_CAPBSET_READ, PR_CAPBSET_DROP};

	for (size_t i = 0; i < N(options); i++) {
		const struct scmp_arg_cmp is = word(0, options[i]);

		add(f, SCMP_ACT_ALLOW, "prctl", 1, &is);
	}
}

/* Files are opened to read them. openat2 keeps its flags behind a pointer. */
static void read_only(struct filter *f)
{
	const uint64_t flags = O_ACCMODE | O_CREAT | O_TRUNC;
	const struct scmp_arg_cmp of_open = masked(1, flags, O_RDONLY), of_openat = masked(2, flags, O_RDONLY);

	add(f, SCMP_ACT_ALLOW, "open", 1, &of_open);
	add(f, SCMP_ACT_ALLOW, "openat", 1, &of_openat);
}

static void fill_load(struct filter *f)
{
	add_all(f, SCMP_ACT_ALLOW, work, N(work));
	add_all(f, SCMP_ACT_ALLOW, loading, N(loading));
	read_only(f);
	own_layers(f);
	no_writable_code(f, true);
	own_descriptors(f);
	own_signals(f);
	add_all(f, SCMP_ACT_KILL_PROCESS, attacks, N(attacks));
	add_all(f, SCMP_ACT_KILL_PROCESS, starts, N(starts));
}

static void fill_sealed(struct filter *f)
{
	add_all(f, SCMP_ACT_ALLOW, work, N(work));
	add_all(f, SCMP_ACT_ERRNO(EACCES), by_name, N(by_name));
	plain_memory(f);
	own_status(f);
	own_descriptors(f);
	own_signals(f);
	add_all(f, SCMP_ACT_KILL_PROCESS, attacks, N(attacks));
	add_all(f, SCMP_ACT_KILL_PROCESS, starts, N(starts));
}

/* Of sockets: the Internet's, and the one by which getaddrinfo() learns of this machine's addresses. */
static void internet_only(struct filter *f)
{
	const struct scmp_arg_cmp routes[] = {equal(0, AF_NETLINK), {2, SCMP_CMP_NE, NETLINK_ROUTE, 0}};
	const struct scmp_arg_cmp beyond = {0, SCMP_CMP_GE, AF_MAX, 0};

	add(f, SCMP_ACT_ERRNO(EACCES), "socket", 2, routes);
	for (unsigned family = 0; family < AF_MAX; family++) {
		const struct scmp_arg_cmp is = equal(0, family);

		if (family != AF_INET && family != AF_INET6 && family != AF_NETLINK)
			add(f, SCMP_ACT_ERRNO(EACCES), "socket", 1, &is);
	}
	add(f, SCMP_ACT_ERRNO(EACCES), "socket", 1, &beyond);
}

/* Threads, but no processes. clone3 hides its flags behind a pointer; without it glibc takes clone. */
static void threads_only(struct filter *f)
{
	const struct scmp_arg_cmp process = masked(0, CLONE_THREAD, 0);

	add(f, SCMP_ACT_ERRNO(EPERM), "clone", 1, &process);
	add(f, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
}

/* A signal to another process, or a limit of it; F_SETOWN and its like send one when a descriptor is ready. */
static void others_signals(struct filter *f)
{
	static const char *const calls[] = {"kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"};
	const struct scmp_arg_cmp other = {0, SCMP_CMP_NE, (uint64_t)(uint32_t)getpid(), 0};
	const struct scmp_arg_cmp owner = word(1, F_SETOWN), owner_ex = word(1, 15 /* F_SETOWN_EX */),
				  socket_owner = word(1, FIOSETOWN), socket_group = word(1, SIOCSPGRP);

	for (size_t i = 0; i < N(calls); i++)
		add(f, SCMP_ACT_ERRNO(EPERM), calls[i], 1, &other);
	add(f, SCMP_ACT_ERRNO(EPERM), "tkill", 0, NULL);
	add(f, SCMP_ACT_ERRNO(EPERM), "fcntl", 1, &owner);
	add(f, SCMP_ACT_ERRNO(EPERM), "fcntl", 1, &owner_ex);
	add(f, SCMP_ACT_ERRNO(EPERM), "ioctl", 1, &socket_owner);
	add(f, SCMP_ACT_ERRNO(EPERM), "ioctl", 1, &socket_group);
	add(f, SCMP_ACT_ERRNO(EPERM), "pidfd_send_signal", 0, NULL);
}

/* What Landlock leaves open to whoever is not given it: rights and times of files at any version, cutting them off before the third (by
 * their names, or as they are opened for nothing else: openat2 keeps its flags behind a pointer). */
static const char *const marks[] = {"truncate", "truncate64", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown",
	"lchown", "fchown", "fchownat", "setxattr", "setxattrat", "lsetxattr", "fsetxattr", "removexattr",
	"removexattrat", "lremovexattr", "fremovexattr", "file_setattr", "utime", "utimes", "utimensat", "futimesat"};
/* Memory and messages that outlive their process, and that others of the user have. */
static const char *const shared[] = {"shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl", "semget",
	"semop", "semtimedop", "semctl", "ipc", "mq_open", "mq_unlink"};

/* How others are run, and where their memory is: of a process that names none but itself (0) alone. By group or user it may be anybody. */
static void no_scheduling(struct filter *f)
{
	static const char *const calls[] = {"sched_setscheduler", "sched_setparam", "sched_setattr",
		"sched_setaffinity", "migrate_pages", "move_pages"};
	const struct scmp_arg_cmp other = {0, SCMP_CMP_NE, 0, 0}, whom = {1, SCMP_CMP_NE, 0, 0};
	const struct scmp_arg_cmp no_process = {0, SCMP_CMP_NE, PRIO_PROCESS, 0};
	const struct scmp_arg_cmp no_process_io = {0, SCMP_CMP_NE, 1 /* IOPRIO_WHO_PROCESS */, 0};

	for (size_t i = 0; i < N(calls); i++)
		add(f, SCMP_ACT_ERRNO(EPERM), calls[i], 1, &other);
	add(f, SCMP_ACT_ERRNO(EPERM), "setpriority", 1, &no_process);
	add(f, SCMP_ACT_ERRNO(EPERM), "setpriority", 1, &whom);
	add(f, SCMP_ACT_ERRNO(EPERM), "ioprio_set", 1, &no_process_io);
	add(f, SCMP_ACT_ERRNO(EPERM), "ioprio_set", 1, &whom);
}

/* Of broker and programs alike: nothing of another process, of the terminal, or of a file that is not theirs to write. */
static void no_harm(struct filter *f)
{
	const struct scmp_arg_cmp limits[] = {{0, SCMP_CMP_NE, 0, 0}, {2, SCMP_CMP_NE, 0, 0}};
	const struct scmp_arg_cmp inject = word(1, TIOCSTI), paste = word(1, TIOCLINUX);

	add(f, SCMP_ACT_ERRNO(EPERM), "prlimit64", 2, limits);
	no_scheduling(f);
	add(f, SCMP_ACT_ERRNO(EPERM), "ioctl", 1, &inject);
	add(f, SCMP_ACT_ERRNO(EPERM), "ioctl", 1, &paste);
	add(f, SCMP_ACT_ERRNO(EPERM), "personality", 0, NULL); /* it could make all memory executable */
	add_all(f, SCMP_ACT_ERRNO(EACCES), shared, N(shared));
	add_all(f, SCMP_ACT_ERRNO(EROFS), marks, N(marks));
	add(f, SCMP_ACT_ERRNO(ENOSYS), "openat2", 0, NULL);
	for (int nr = NR_KNOWN + 1; nr < NR_UNKNOWN_END; nr++) /* what kernels learn after this was written */
		add_number(f, SCMP_ACT_ERRNO(ENOSYS), number_above_base(nr), 0, NULL);
}

/* Opened with these of its flags: refused. */
static void no_open(struct filter *f, uint64_t mask, uint64_t flags)
{
	const struct scmp_arg_cmp of_open = masked(1, mask, flags), of_openat = masked(2, mask, flags);

	add(f, SCMP_ACT_ERRNO(EROFS), "open", 1, &of_open);
	add(f, SCMP_ACT_ERRNO(EROFS), "openat", 1, &of_openat);
}

/* Cut off by whoever opens a file, but not to write. */
static void no_cutting(struct filter *f)
{
	no_open(f, O_TRUNC | O_ACCMODE, O_TRUNC | O_RDONLY);
	no_open(f, O_TRUNC | O_ACCMODE, O_TRUNC | O_ACCMODE);
}

/* By what it may not: every update of TLS and resolver libraries brings calls of its own. */
static void fill_broker(struct filter *f)
{
	add_all(f, SCMP_ACT_KILL_PROCESS, attacks, N(attacks));
	add_all(f, SCMP_ACT_KILL_PROCESS, starts, N(starts));
	no_writable_code(f, false);
	no_harm(f);
	no_cutting(f);
	internet_only(f);
	threads_only(f);
	others_signals(f);
}

/* A program changes no file whatever its rights are. What it opens to write to, as a shell does /dev/null, is Landlock's business. */
static const char *const changes[] = {"unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2", "link",
	"linkat", "symlink", "symlinkat", "mkdir", "mkdirat", "ftruncate", "ftruncate64", "fallocate"};

/* Interpreters do what they like with memory and processes; signals stay within by Landlock, where it is new enough. */
static void fill_program(struct filter *f)
{
	static const char *const network[] = {"socket", "connect", "bind", "listen", "accept", "accept4"};
	const struct scmp_arg_cmp namespaces = masked(0, CLONE_NEWUSER, CLONE_NEWUSER);

	add_all(f, SCMP_ACT_KILL_PROCESS, attacks, N(attacks));
	add_all(f, SCMP_ACT_ERRNO(EPERM), rings, N(rings));
	add_all(f, SCMP_ACT_ERRNO(EACCES), network, N(network));
	add_all(f, SCMP_ACT_ERRNO(EROFS), changes, N(changes));
	no_harm(f);
	no_cutting(f);
	add(f, SCMP_ACT_ERRNO(EPERM), "clone", 1, &namespaces);
	add(f, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
}

/* Without Landlock nothing else keeps it from what the user's other files, devices and processes (/proc/PID/mem) hold: not even /dev/null
 * is opened to write to. */
static void fill_program_alone(struct filter *f)
{
	fill_program(f);
	no_open(f, O_ACCMODE, O_WRONLY);
	no_open(f, O_ACCMODE, O_RDWR);
	no_open(f, O_ACCMODE, O_ACCMODE);
	no_open(f, O_CREAT, O_CREAT);
	add(f, SCMP_ACT_ERRNO(EROFS), "creat", 0, NULL);
}

/* A call that the role may not make is refused: whatever a library said, the filter is there. */
static bool holds(enum seccomp_role role)
{
	char c;
	const bool sealed = role == SECCOMP_SEALED; /* no call of the network was left before it either */
	const int fd = sealed ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd < 0 && (!sealed || syscall(SYS_getcwd, &c, sizeof(c)) < 0) && (errno == EPERM || errno == EACCES);
}

static int load(enum seccomp_role role)
{
	static void (*const fill[])(struct filter *) = {
		fill_load, fill_sealed, fill_broker, fill_program, fill_program_alone};
	const bool is_list = role == SECCOMP_LOAD || role == SECCOMP_SEALED;
	struct filter f = {NULL, 0};

	if (mem_has(MEM_LIBRARY)) /* libseccomp 2.5.4 spoils its heap where it gets none */
		f.ctx = seccomp_init(is_list ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
	if (!f.ctx)
		return -ENOMEM;
	f.rc = seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_NNP, 0); /* it is set already */
	fill[role](&f);
	if (f.rc == 0)
		f.rc = seccomp_load(f.ctx);
	seccomp_release(f.ctx);
	return f.rc;
}

glane_rc seccomp_confine(enum seccomp_role role, struct diag *d)
{
	const int rc = load(role);

	if (rc == -ENOMEM)
		return fail(d, GLANE_E_NOMEM, "seccomp: no memory for a filter");
	if (rc != 0)
		return fail(d, GLANE_E_DENIED, "seccomp: no filter: %s", strerror(-rc));
	return holds(role) ? GLANE_OK : fail(d, GLANE_E_DENIED, "seccomp: a filter was set, and refuses nothing");
}
