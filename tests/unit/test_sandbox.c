/* SPDX-License-Identifier: MIT */
/* core/proc/sandbox.c: what each role can still do, each tried in a process of its own. tests/run/sandbox.py tries the whole program. */
#include "support/cmocka.h"

#include "proc/sandbox.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

/* Each line that does not hold is a bit. */
static int broker_can(void)
{
	char path[96];
	int wrong = 0;

	if (!as_broker())
		return 255;
	snprintf(path, sizeof(path), "%s/x", folder);
	wrong |= opens(path, O_RDWR | O_CREAT) && rename(path, path) == 0 && unlink(path) == 0 ? 0 : 1;
	wrong |= sockets(AF_INET, 0) && (sockets(AF_INET6, 0) || errno == EAFNOSUPPORT) ? 0 : 2;
	wrong |= threads() ? 0 : 4;
	wrong |= resolves() ? 0 : 8;
	wrong |= opens("/etc/hosts", O_RDONLY) && opens("/etc/ssl/certs/ca-certificates.crt", O_RDONLY) ? 0 : 16;
	wrong |= access("/etc/hostname", F_OK) != 0 || opens("/etc/hostname", O_RDONLY) ? 0 : 32;
	return wrong;
}

static int broker_cannot(void)
{
	int wrong = 0;

	if (!as_broker())
		return 255;
	wrong |= landlock_version() && (opens("/etc/passwd", O_RDONLY) || opens("/", O_RDONLY | O_DIRECTORY)) ? 1 : 0;
	wrong |= landlock_version() && (opens("/tmp/glane-escaped", O_RDWR | O_CREAT) || opens("/etc/hosts", O_WRONLY))
			 ? 2
			 : 0;
	wrong |= sockets(AF_UNIX, 0) || sockets(AF_PACKET, 0) || sockets(AF_NETLINK, 4) || sockets(999, 0) ? 4 : 0;
	wrong |= forks() ? 8 : 0;
	wrong |= writable_code() ? 16 : 0;
	wrong |= kill(getppid(), SIGCONT) == 0 || kill(-1, SIGCONT) == 0 ? 32 : 0;
	return wrong;
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

static void skip_without(void)
{
	if (strncmp(sandbox_level(), "none", 4) == 0)
		skip(); /* a sanitizer or coverage build */
}

static void test_broker(void **state)
{
	(void)state;
	skip_without();
	assert_int_equal(in_child(broker_can), 0);
	assert_int_equal(in_child(broker_cannot), 0);
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
	skip_without();
	diag_clear(&d);
	assert_false(sandbox_take(""));
	assert_false(sandbox_take("off:0"));
	assert_false(sandbox_take("require:"));
	assert_false(sandbox_take("require:-1"));
	assert_true(sandbox_take("require:0"));
	assert_string_equal(sandbox_word(), "require:0");
	assert_int_equal(sandbox_check(&d), GLANE_E_CONFIG);
	assert_non_null(strstr(d.text, "sandbox = seccomp"));
	diag_clear(&d);
	sandbox_choose(false, 0);
	assert_int_equal(sandbox_check(&d), GLANE_OK);
	assert_string_equal(sandbox_level(), "seccomp, limits");
	sandbox_choose(true, ~0u);
	assert_int_equal(sandbox_check(&d), landlock_version() ? GLANE_OK : GLANE_E_CONFIG);
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
		cmocka_unit_test(test_sealed), cmocka_unit_test(test_words)};
	int failed;

	snprintf(folder, sizeof(folder), "/tmp/glane-sandbox-XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	if (landlock_version() == 0)
		sandbox_choose(false, 0);
	failed = cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
