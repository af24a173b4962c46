/* SPDX-License-Identifier: MIT */
/* core/proc/sandbox.c: what each role can still do, each tried in a process of its own. tests/run/sandbox.py tries the whole program. */
#include "support/cmocka.h"

#include "proc/landlock.h"
#include "proc/sandbox.h"
#include "proc/seccomp.h"
#include "proc/spawn.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char folder[64];

/* Runs `what` in a child; its exit status, or minus the signal that ended it. */
static int in_child(int (*what)(void))
{
	int status = 0;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(what());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static bool opens(const char *path, int flags)
{
	const int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool sockets(int family, int protocol)
{
	const int fd = socket(family, family == AF_NETLINK ? SOCK_RAW : SOCK_STREAM, protocol);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* How another process of the user runs; what is set is what it has. */
static bool reschedules(void)
{
	const struct sched_param none = {0};
	const struct {
		uint32_t size, policy;
		uint64_t rest[5];
	} attr = {48, SCHED_OTHER, {0}};
	unsigned char all[128];
	const pid_t other = getppid();

	memset(all, 0xff, sizeof(all));
	return sched_setscheduler(other, SCHED_OTHER, &none) == 0 || sched_setparam(other, &none) == 0 ||
	       syscall(SYS_sched_setattr, other, &attr, 0) == 0 ||
	       syscall(SYS_sched_setaffinity, other, sizeof(all), all) == 0 ||
	       setpriority(PRIO_PROCESS, (id_t)other, 0) == 0 || setpriority(PRIO_PGRP, 0, 0) == 0 ||
	       syscall(SYS_ioprio_set, 1, other, 0) == 0 || syscall(SYS_ioprio_set, 2, 0, 0) == 0;
}

/* And how this one does is its own business: as runtimes set it. */
static bool schedules_itself(void)
{
	const struct sched_param none = {0};
	unsigned char all[128];
	const long n = syscall(SYS_sched_getaffinity, 0, sizeof(all), all);

	return n > 0 && syscall(SYS_sched_setaffinity, 0, n, all) == 0 &&
	       sched_setscheduler(0, sched_getscheduler(0), &none) == 0 &&
	       setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0)) == 0;
}

/* Another process of the user is reached otherwise than by kill(): any that is not allowed any more, for where it is nothing changes. */
static bool reaches_another(void)
{
	struct rlimit now;
	const pid_t other = getppid();
	int pair[2], owner = (int)other;

	if (reschedules() ||
		(prlimit(other, RLIMIT_CPU, NULL, &now) == 0 && prlimit(other, RLIMIT_CPU, &now, NULL) == 0))
		return true;
	if (fcntl(0, F_SETOWN, other) == 0 || syscall(SYS_fcntl, 0, F_SETOWN | 1l << 32, other) == 0)
		return true;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && ioctl(pair[0], FIOSETOWN, &owner) == 0;
}

/* Words for the terminal: EPERM before it is asked whether the descriptor is one. */
static bool injects(void)
{
	return ioctl(0, TIOCSTI, "x") == 0 || errno != EPERM || syscall(SYS_ioctl, 0, TIOCSTI | 1l << 32, "x") == 0 ||
	       errno != EPERM || ioctl(0, TIOCLINUX, "x") == 0 || errno != EPERM;
}

static char kept[96]; /* a file that nobody may change; its path */

static bool cuts(void)
{
	const struct {
		uint64_t flags, mode, resolve;
	} how = {O_RDONLY | O_TRUNC, 0, 0};

	return opens(kept, O_RDONLY | O_TRUNC) || opens(kept, O_ACCMODE | O_TRUNC) || truncate(kept, 0) == 0 ||
	       syscall(SYS_openat2, AT_FDCWD, kept, &how, sizeof(how)) >= 0;
}

/* By calls that libseccomp may not know, nor this kernel: then that is no less an answer. */
static bool marks_lately(void)
{
	const struct {
		uint64_t value;
		uint32_t size, flags;
	} x = {(uint64_t)(uintptr_t) "x", 1, 0};
	const uint64_t attributes[4] = {0};

	return syscall(452 /* fchmodat2 */, AT_FDCWD, kept, 0777, 0) == 0 ||
	       syscall(463 /* setxattrat */, AT_FDCWD, kept, 0, "user.x", &x, sizeof(x)) == 0 ||
	       syscall(469 /* file_setattr */, AT_FDCWD, kept, attributes, sizeof(attributes), 0) == 0;
}

static bool marks(void)
{
	const int fd = open(kept, O_RDONLY | O_CLOEXEC);

	return chmod(kept, 0777) == 0 || utimes(kept, NULL) == 0 || (fd >= 0 && fchmod(fd, 0777) == 0) ||
	       setxattr(kept, "user.x", "x", 1, 0) == 0 || marks_lately();
}

static bool shares(void)
{
	return shmget(IPC_PRIVATE, 4096, 0600 | IPC_CREAT) >= 0;
}

static void *nothing(void *arg)
{
	return arg;
}

static bool threads(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0;
}

static bool forks(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

/* The call that hides its flags behind a pointer, and namespaces by the older one. */
static bool forks_otherwise(long flags)
{
	uint64_t args[11] = {(uint64_t)flags, 0, 0, 0, SIGCHLD};
	const long old = flags ? syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL) : -1;
	const long pid = old >= 0 ? old : syscall(435 /* clone3 */, args, sizeof(args));

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid((pid_t)pid, NULL, 0) == pid;
}

static bool binds(void)
{
	const struct sockaddr_in any = {.sin_family = AF_INET};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const bool bound = fd >= 0 && bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0;

	if (fd >= 0)
		close(fd);
	return bound;
}

static bool writable_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool resolves(void)
{
	struct addrinfo *found = NULL;
	const int rc = getaddrinfo("localhost", "80", NULL, &found);

	if (found)
		freeaddrinfo(found);
	return rc == 0;
}

static bool as_broker(void)
{
	const struct landlock_path own[] = {{folder, -1, LANDLOCK_READ | LANDLOCK_LIST | LANDLOCK_CHANGE},
		{"/etc/hostname", -1, LANDLOCK_READ}, {"/nowhere/at/all", -1, LANDLOCK_READ}};
	struct diag d;

	diag_clear(&d);
	if (sandbox_broker(own, sizeof(own) / sizeof(own[0]), &d) == GLANE_OK)
		return true;
	fprintf(stderr, "%s\n", d.text);
	return false;
}

static bool as_program(void)
{
	struct diag d;

	diag_clear(&d);
	return sandbox_limits((uint64_t)1 << 30, 0, 60, true, &d) == GLANE_OK &&
	       sandbox_program(kept, open(kept, O_RDONLY | O_CLOEXEC), NULL, 0, &d) == GLANE_OK;
}

/* Each line that does not hold is a bit. */
static int broker_can(void)
{
	const char *ca = curl_version_info(CURLVERSION_NOW)->cainfo;
	char path[96];
	int wrong = 0;

	if (!as_broker())
		return 255;
	snprintf(path, sizeof(path), "%s/x", folder);
	wrong |= opens(path, O_RDWR | O_CREAT) && rename(path, path) == 0 && unlink(path) == 0 ? 0 : 1;
	wrong |= sockets(AF_INET, 0) && (sockets(AF_INET6, 0) || errno == EAFNOSUPPORT) ? 0 : 2;
	wrong |= threads() ? 0 : 4;
	wrong |= resolves() ? 0 : 8;
	wrong |= opens("/etc/hosts", O_RDONLY) ? 0 : 16;
	wrong |= !ca || access(ca, F_OK) != 0 || opens(ca, O_RDONLY) ? 0 : 64; /* wherever its links lead to */
	wrong |= access("/etc/hostname", F_OK) != 0 || opens("/etc/hostname", O_RDONLY) ? 0 : 32;
	return wrong;
}

/* Of what root may, what files of others need is left. */
static bool is_mighty(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct now[2] = {{0, 0, 0}, {0, 0, 0}};
	const uint32_t files = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;

	return syscall(SYS_capget, &head, now) != 0 || now[0].effective & ~files || now[0].permitted & ~files ||
	       now[1].permitted || (geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) != 0);
}

static int broker_cannot(void)
{
	int wrong = 0;

	if (!as_broker())
		return 255;
	const bool files = strncmp(sandbox_level(), "landlock", 8) == 0;
	const bool has_ports = files && atoi(sandbox_level() + 9) >= 4;
	wrong |= files && (opens("/etc/passwd", O_RDONLY) || opens("/", O_RDONLY | O_DIRECTORY)) ? 1 : 0;
	wrong |= files && (opens("/tmp/glane-escaped", O_RDWR | O_CREAT) || opens("/etc/hosts", O_WRONLY)) ? 2 : 0;
	wrong |= sockets(AF_UNIX, 0) || sockets(AF_PACKET, 0) || sockets(AF_NETLINK, 4) || sockets(999, 0) ? 4 : 0;
	wrong |= forks() || forks_otherwise(0) || forks_otherwise(CLONE_NEWUSER) ? 8 : 0;
	wrong |= writable_code() || (has_ports && binds()) ? 16 : 0;
	wrong |= kill(getppid(), SIGCONT) == 0 || kill(-1, SIGCONT) == 0 || reaches_another() ? 32 : 0;
	wrong |= injects() || shares() ? 64 : 0;
	wrong |= cuts() || marks() || is_mighty() ? 128 : 0;
	return wrong;
}

static void skip_without(void)
{
	if (strncmp(sandbox_level(), "none", 4) == 0)
		skip(); /* a sanitizer or coverage build */
}

#define N(a) (sizeof(a) / sizeof((a)[0]))
static const unsigned levels[] = {~0u, 2, 1, 0}; /* of Landlock; one that the kernel has not is tried as what it has */

static void use_newest(void)
{
	sandbox_choose(landlock_version() > 0, landlock_version() > 0 ? ~0u : 0);
}

/* What only an attack calls ends the process, in every role that is not sealed anyway. */
static long attack;

static int broker_attacks(void)
{
	if (!as_broker())
		return 255;
	(void)syscall(attack, getppid(), 0, 0, 0, 0, 0);
	return 0;
}

static int program_attacks(void)
{
	if (!as_program())
		return 255;
	(void)syscall(attack, getppid(), 0, 0, 0, 0, 0);
	return 0;
}

static void test_attacks(void **state)
{
	static const long calls[] = {SYS_kcmp, 438 /* pidfd_getfd */, 440 /* process_madvise */, SYS_open_by_handle_at,
		SYS_fanotify_init, SYS_ptrace, SYS_process_vm_readv, SYS_bpf, SYS_unshare, SYS_setns, SYS_mount};

	(void)state;
	skip_without();
	for (size_t i = 0; i < N(levels); i++) {
		sandbox_choose(false, levels[i]);
		for (size_t k = 0; k < N(calls); k++) {
			attack = calls[k];
			assert_int_equal(in_child(broker_attacks), -SIGSYS);
			assert_int_equal(in_child(program_attacks), -SIGSYS);
		}
	}
	use_newest();
}

static int broker_starts(void)
{
	static char name[] = "true";
	char *const argv[] = {name, NULL};

	if (!as_broker())
		return 255;
	execv("/bin/true", argv);
	return 1;
}

static void test_broker(void **state)
{
	(void)state;
	skip_without();
	assert_int_equal(in_child(broker_can), 0);
	for (size_t i = 0; i < N(levels); i++) {
		sandbox_choose(false, levels[i]);
		assert_int_equal(in_child(broker_cannot), 0);
	}
	use_newest();
	assert_int_equal(in_child(broker_starts), -SIGSYS);
}

/* A worker that is sealed reads and writes what is open, has memory, and tells the time. */
static int sealed_can(void)
{
	const int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
	struct stat st;
	char byte;
	char *more;
	struct diag d;
	int wrong = 0;

	diag_clear(&d);
	if (fd < 0 || sandbox_load("/etc/hosts", &d) != GLANE_OK || sandbox_seal(&d) != GLANE_OK)
		return 255;
	wrong |=
		read(fd, &byte, 1) == 1 && lseek(fd, 0, SEEK_SET) == 0 && fstat(fd, &st) == 0 && st.st_size > 0 ? 0 : 1;
	more = malloc((size_t)8 << 20);
	wrong |= more && mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED ? 0 : 2;
	free(more);
	wrong |= time(NULL) > 0 ? 0 : 4;
	wrong |= !opens("/etc/hosts", O_RDONLY) && errno == EACCES ? 0 : 8;
	wrong |= !threads() && !forks() ? 0 : 16;
	wrong |= close(fd) == 0 ? 0 : 32;
	return wrong;
}

static int loading_cannot(void)
{
	struct diag d;

	diag_clear(&d);
	return sandbox_load("/etc/hosts", &d) != GLANE_OK ? 255
	       : reaches_another()                        ? 1
	       : injects()                                ? 2
	       : cuts()                                   ? 4
							  : 0;
}

static int sealed_cannot(void)
{
	struct diag d;

	diag_clear(&d);
	if (sandbox_load("/etc/hosts", &d) != GLANE_OK || sandbox_seal(&d) != GLANE_OK)
		return 255;
	return reaches_another() ? 1 : injects() ? 2 : cuts() || marks() || shares() ? 4 : 0;
}

/* A program may signal and own descriptors; the limits of others, the terminal and files are not its own. */
static int program_cannot(void)
{
	struct rlimit now;
	int wrong = 0, fd;

	if (!as_program())
		return 255;
	wrong |= reschedules() || !schedules_itself() ? 128 : 0;
	wrong |= prlimit(getppid(), RLIMIT_CPU, NULL, &now) == 0 && prlimit(getppid(), RLIMIT_CPU, &now, NULL) == 0;
	wrong |= injects() || forks_otherwise(CLONE_NEWUSER) ? 2 : 0;
	wrong |= cuts() ? 4 : 0;
	wrong |= marks() || shares() ? 8 : 0;
	fd = open(kept, O_RDWR | O_CLOEXEC);
	wrong |= fd >= 0 || opens("/proc/self/mem", O_RDWR) ? 16 : 0;
	wrong |= setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) == 0 ? 0 : 32;
	wrong |= syscall(425 /* io_uring_setup */, 4, NULL) != 0 && errno == EPERM ? 0 : 64;
	return wrong;
}

static void test_cannot(void **state)
{
	(void)state;
	skip_without();
	for (size_t i = 0; i < N(levels); i++) {
		sandbox_choose(false, levels[i]);
		assert_int_equal(in_child(loading_cannot), 0);
		assert_int_equal(in_child(sealed_cannot), 0);
		assert_int_equal(in_child(program_cannot), 0);
	}
	use_newest();
}

static int sealed_aborts(void)
{
	struct diag d;

	diag_clear(&d);
	if (sandbox_seal(&d) != GLANE_OK)
		return 255;
	abort();
}

static void test_sealed(void **state)
{
	(void)state;
	skip_without();
	assert_int_equal(in_child(sealed_can), 0);
	assert_int_equal(in_child(sealed_aborts), -SIGABRT);
}

static void test_choice(void **state)
{
	struct diag d;

	(void)state;
	diag_clear(&d);
	assert_false(sandbox_take(""));
	assert_false(sandbox_take("off:0"));
	assert_false(sandbox_take("require:"));
	assert_false(sandbox_take("require:-1"));
	assert_true(sandbox_take("require:0"));
	assert_string_equal(sandbox_word(), "require:0");
	assert_true(sandbox_take("seccomp:3"));
	assert_string_equal(sandbox_word(), "seccomp:3");
	assert_true(sandbox_take("require:0"));
	skip_without();
	assert_int_equal(sandbox_check(&d), GLANE_E_CONFIG);
	assert_non_null(strstr(d.text, "sandbox = seccomp"));
	diag_clear(&d);
	sandbox_choose(false, 0);
	assert_int_equal(sandbox_check(&d), GLANE_OK);
	assert_string_equal(sandbox_level(), "seccomp, limits");
	sandbox_choose(true, ~0u);
	assert_int_equal(sandbox_check(&d), landlock_version() ? GLANE_OK : GLANE_E_CONFIG);
}

/* Without no_new_privs and without capabilities the kernel takes neither filters nor rules. */
static int unprivileged(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	const struct __user_cap_data_struct empty[2] = {{0, 0, 0}, {0, 0, 0}};

	return (int)syscall(SYS_capset, &head, empty);
}

/* A filter that the kernel refuses is an error in every role: never a process that goes on without. */
static int filters_refused(void)
{
	static const enum seccomp_role roles[] = {SECCOMP_LOAD, SECCOMP_SEALED, SECCOMP_BROKER, SECCOMP_PROGRAM};
	int wrong = 0;

	if (unprivileged() != 0)
		return 255;
	for (unsigned i = 0; i < 4; i++) {
		struct diag d;

		diag_clear(&d);
		wrong |= seccomp_confine(roles[i], &d) == GLANE_E_DENIED && strstr(d.text, "seccomp: no filter")
				 ? 0
				 : 1 << i;
	}
	return wrong;
}

/* Without memory for a filter there is none, and no library was asked to make one. */
static int no_room(void)
{
	const struct rlimit none = {1, 1};
	struct diag d;

	diag_clear(&d);
	if (setrlimit(RLIMIT_AS, &none) != 0)
		return 255;
	return seccomp_confine(SECCOMP_SEALED, &d) == GLANE_E_NOMEM ? 0 : 1;
}

static int rules_refused(void)
{
	const struct landlock_path own[] = {{folder, -1, LANDLOCK_READ}};
	struct diag d;

	diag_clear(&d);
	if (unprivileged() != 0)
		return 255;
	if (landlock_confine(landlock_version(), own, 1, 0, &d) != GLANE_E_DENIED || !strstr(d.text, "do not apply"))
		return 1;
	return opens("/etc/passwd", O_RDONLY) ? 0 : 2;
}

static void test_refused(void **state)
{
	(void)state;
	skip_under_valgrind();
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		skip(); /* of whoever runs the tests: the kernel would take them */
	assert_int_equal(in_child(filters_refused), 0);
	assert_int_equal(in_child(no_room), 0);
	if (landlock_version())
		assert_int_equal(in_child(rules_refused), 0);
}

/* A limit that is tighter already stays, and a program cannot have more folders than there are rules for. */
static int keeps_tighter_limits(void)
{
	static const char *reads[SANDBOX_READS + 1];
	const struct rlimit tight = {40, 50};
	struct rlimit cpu;
	struct diag d;

	diag_clear(&d);
	if (setrlimit(RLIMIT_CPU, &tight) != 0 || sandbox_limits((uint64_t)256 << 20, 0, 100, false, &d) != GLANE_OK ||
		getrlimit(RLIMIT_CPU, &cpu) != 0)
		return 255;
	if (cpu.rlim_cur != 50 || cpu.rlim_max != 50)
		return 1;
	if (sandbox_program("/bin/true", 0, reads, SANDBOX_READS + 1, &d) != GLANE_E_CONFIG)
		return 2;
	return strstr(d.text, "more than 64 paths in program_reads") ? 0 : 4;
}

static void test_limits(void **state)
{
	(void)state;
	assert_int_equal(in_child(keeps_tighter_limits), 0);
}

static unsigned version;

/* Rules as a kernel of that version takes them. A file is no folder, a memfd has no path, and no rule is needed for either. */
static int confined(void)
{
	const char *out = getenv("GLANE_OUT"); /* the coverage build keeps its counters there */
	const int file = memfd_create("x", MFD_CLOEXEC), top = open(folder, O_PATH | O_CLOEXEC);
	const struct landlock_path own[] = {{NULL, top, LANDLOCK_READ | LANDLOCK_LIST | LANDLOCK_CHANGE},
		{out ? out : folder, -1, LANDLOCK_READ | LANDLOCK_LIST | LANDLOCK_WRITE},
		{"/etc/hosts", -1, LANDLOCK_READ | LANDLOCK_LIST}, {"/bin/true", -1, LANDLOCK_READ | LANDLOCK_EXECUTE},
		{NULL, file, LANDLOCK_READ | LANDLOCK_WRITE}, {"/nowhere/at/all", -1, LANDLOCK_READ}};
	char path[96];
	struct diag d;
	int wrong = 0;

	diag_clear(&d);
	snprintf(path, sizeof(path), "%s/x", folder);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || landlock_confine(version, own, sizeof(own) / sizeof(own[0]),
								   LANDLOCK_NET | LANDLOCK_SCOPES, &d) != GLANE_OK)
		return 255;
	wrong |= opens(path, O_RDWR | O_CREAT) && unlink(path) == 0 ? 0 : 1;
	wrong |= opens("/etc/hosts", O_RDONLY) ? 0 : 2;
	wrong |= opens("/etc/passwd", O_RDONLY) || opens("/etc/hosts", O_WRONLY) ? 4 : 0;
	wrong |= version >= 6 && kill(getppid(), 0) == 0 ? 8 : 0;
	return wrong;
}

static int no_folder(void)
{
	const struct landlock_path closed = {NULL, 99, LANDLOCK_READ};
	struct diag d;

	diag_clear(&d);
	return landlock_confine(version, &closed, 1, 0, &d) == GLANE_E_DENIED &&
			       strstr(d.text, "cannot let a folder through: Bad file descriptor")
		       ? 0
		       : 1;
}

static void test_versions(void **state)
{
	(void)state;
	if (landlock_version() == 0)
		skip();
	for (version = 1; version <= landlock_version(); version++) {
		assert_int_equal(in_child(confined), 0);
		assert_int_equal(in_child(no_folder), 0);
	}
}

static void test_words(void **state)
{
	char text[96];

	(void)state;
	child_status_text(SIGSYS, text, sizeof(text));
	assert_non_null(strstr(text, "it tried what the sandbox forbids"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_choice), cmocka_unit_test(test_broker),
		cmocka_unit_test(test_sealed), cmocka_unit_test(test_cannot), cmocka_unit_test(test_attacks),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_limits), cmocka_unit_test(test_versions),
		cmocka_unit_test(test_words)};
	int failed;

	snprintf(folder, sizeof(folder), "/tmp/glane-sandbox-XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	if (landlock_version() == 0)
		sandbox_choose(false, 0);
	snprintf(kept, sizeof(kept), "%s/kept", folder);
	close(open(kept, O_RDWR | O_CREAT | O_CLOEXEC, 0700));
	failed = cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
	unlink(kept);
	rmdir(folder);
	return failed;
}
