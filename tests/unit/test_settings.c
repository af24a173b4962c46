/* SPDX-License-Identifier: MIT */
/* Settings: every key that glane owns, its default and its range; each bad value is refused with file, line and what it takes. */
#include "base/clock.h"
#include "proc/broker.h"
#include "sched/settings.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct fixture {
	char dir[64], conf[96], plugin[96];
	struct settings s;
	struct diag d;
	bool loaded;
};

static void put(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");
	char path[128];

	if (!f)
		return -1;
	(void)snprintf(f->dir, sizeof(f->dir), "%s/glane-settings-XXXXXX", tmp && strlen(tmp) < 30 ? tmp : "/tmp");
	if (!mkdtemp(f->dir))
		return -1;
	(void)snprintf(f->conf, sizeof(f->conf), "%s/glane.conf", f->dir);
	(void)snprintf(path, sizeof(path), "%s/sources.d", f->dir);
	if (mkdir(path, 0755) != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/plugins", f->dir);
	if (mkdir(path, 0755) != 0)
		return -1;
	put(f->dir, "plugins/csv.so", "");
	put(f->dir, "glane.conf", "[glane]\nplugin_path = nowhere plugins\n");
	*state = f;
	return 0;
}

static int unlink_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void load(struct fixture *f)
{
	if (f->loaded)
		settings_release(&f->s);
	f->d = (struct diag){0};
	(void)settings_load(&f->s, f->conf, &f->d);
	f->loaded = true;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->loaded)
		settings_release(&f->s);
	(void)nftw(f->dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static struct source_conf *source(struct fixture *f, const char *more)
{
	char text[2048];

	(void)snprintf(text, sizeof(text), "[source s]\nplugin = csv\n%s", more);
	put(f->dir, "sources.d/s.conf", text);
	load(f);
	return f->d.code == GLANE_OK ? settings_find(&f->s, "s") : NULL;
}

/* ---- what is there without a word ---- */

static void test_defaults(void **state)
{
	struct fixture *f = *state;
	const struct source_conf *c = source(f, "");
	char path[256];

	assert_non_null(c);
	assert_true(c->enabled);
	assert_false(c->keep_empty);
	assert_int_equal(c->every, 86400);
	assert_int_equal(c->deadline, 6 * 3600);
	assert_int_equal(c->max_body, (uint64_t)512 << 20);
	assert_int_equal(c->memory, (uint64_t)256 << 20);
	assert_int_equal(c->retries, 3);
	assert_true(c->rate >= 0 && c->rate <= 0);
	assert_int_equal((int)c->gate.min_rows_percent, 90);
	assert_int_equal((int)c->gate.max_withdrawn_percent, 10);
	assert_int_equal((int)c->gate.max_quarantined_percent, 1);
	assert_null(c->base_url);
	assert_null(c->ca_extra);
	assert_null(c->licence);
	assert_int_equal(c->n_hosts + c->n_tags + c->n_secrets, 0);
	assert_int_equal(f->s.jobs, 4);
	assert_int_equal(f->s.per_host, 4);
	assert_int_equal(f->s.stall_seconds, 60);
	assert_null(f->s.proxy);
	assert_int_equal(f->s.keep_payloads, KEEP_EVENTS);
	assert_int_equal(c->keep_payloads, KEEP_EVENTS);
	(void)snprintf(path, sizeof(path), "%s/store", f->dir);
	assert_string_equal(f->s.store, path);
	(void)snprintf(path, sizeof(path), "%s/plugins/csv.so", f->dir);
	assert_string_equal(c->plugin_path, path);
	assert_null(settings_find(&f->s, "t"));
	assert_null(settings_plugin(&f->s, "other"));
	put(f->dir, "glane.conf", "[glane]\n");
	assert_non_null(source(f, ""));
	assert_int_equal(f->s.n_plugin_path, 2);
	assert_true(f->s.plugin_path[0][0] == '/' && strstr(f->s.plugin_path[0], "/../lib/glane"));
}

static void test_glane_keys(void **state)
{
	struct fixture *f = *state;
	char path[256];

	put(f->dir, "glane.conf",
		"[glane]\nstore = ../data\ntables = /etc/tables\nsources = more.d\nplugin_path = plugins \"with "
		"blank\" /abs\n"
		"jobs = 64\nper_host = 1\nstall = 5m\nkeep_payloads = all\ncontact = a@example.org\nproxy = "
		"http://p:3128\nca_bundle = "
		"ca.pem\n");
	(void)snprintf(path, sizeof(path), "%s/more.d", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	load(f);
	assert_string_equal(f->d.text, "");
	assert_int_equal(f->s.n_sources, 0);
	(void)snprintf(path, sizeof(path), "%s/../data", f->dir);
	assert_string_equal(f->s.store, path);
	assert_string_equal(f->s.tables, "/etc/tables");
	assert_int_equal(f->s.n_plugin_path, 3);
	(void)snprintf(path, sizeof(path), "%s/with blank", f->dir);
	assert_string_equal(f->s.plugin_path[1], path);
	assert_string_equal(f->s.plugin_path[2], "/abs");
	assert_int_equal(f->s.jobs, 64);
	assert_int_equal(f->s.per_host, 1);
	assert_int_equal(f->s.stall_seconds, 300);
	assert_string_equal(f->s.contact, "a@example.org");
	assert_string_equal(f->s.proxy, "http://p:3128");
	(void)snprintf(path, sizeof(path), "%s/ca.pem", f->dir);
	assert_string_equal(f->s.ca_bundle, path);
}

/* ---- what each key of a source takes ---- */

static void test_every(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {{"1h", 3600}, {"12h", 43200}, {"1d", 86400}, {"7d", 604800}, {"2w", 1209600}, {"1m", 2592000}};
	char text[64];

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct source_conf *c;

		(void)snprintf(text, sizeof(text), "every = %s\n", cases[i].text);
		c = source(*state, text);
		assert_non_null(c);
		assert_int_equal(c->every, cases[i].seconds);
	}
}

static void test_rate(void **state)
{
	static const struct {
		const char *text;
		double milli;
	} cases[] = {{"5/s", 5000}, {"60/m", 1000}, {"36/h", 10}, {"1/m", 1000.0 / 60}};
	char text[64];

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct source_conf *c;

		(void)snprintf(text, sizeof(text), "rate = %s\n", cases[i].text);
		c = source(*state, text);
		assert_non_null(c);
		assert_int_equal((int)(c->rate * 1e6 + 0.5), (int)(cases[i].milli * 1e3 + 0.5));
	}
}

static void test_source_keys(void **state)
{
	struct fixture *f = *state;
	const struct source_conf *c =
		source(f, "enabled = no\nevery = 2w\nbase_url = https://api.example.org/v2///\nhosts = cdn.example.org "
			  "b.example.org\n"
			  "deadline = 90m\nmax_body = 2G\nmemory = 512k\nretries = 0\nrate = 3/s\nempty = keep\n"
			  "auth = key=env:KEY pass=file:/run/pass\n"
			  "headers = Accept=text/csv Authorization=\"Bearer {auth:key}\" X-Empty=\nca_extra = "
			  "extra.pem\ngate.min_rows_percent = 0\n"
			  "gate.max_withdrawn_percent = 100\ngate.max_quarantined_percent = 5\nlicence = CC BY 4.0\n"
			  "attribution = World Bank\nowner = Afi\ntags = daily \"two words\"\n");
	char path[256];

	assert_non_null(c);
	assert_false(c->enabled);
	assert_string_equal(c->base_url, "https://api.example.org/v2");
	assert_int_equal(c->n_hosts, 2);
	assert_string_equal(c->hosts[1], "b.example.org");
	assert_int_equal(c->deadline, 5400);
	assert_int_equal(c->max_body, (uint64_t)2 << 30);
	assert_int_equal(c->memory, 512 << 10);
	assert_int_equal(c->retries, 0);
	assert_true(c->keep_empty);
	assert_int_equal(c->n_secrets, 2);
	assert_string_equal(c->secrets[0].name, "key");
	assert_string_equal(c->secrets[0].spec, "env:KEY");
	assert_string_equal(c->secrets[1].spec, "file:/run/pass");
	assert_int_equal(c->n_header, 3);
	assert_string_equal(c->header[0].k, "Accept");
	assert_string_equal(c->header[1].v.p, "Bearer {auth:key}");
	assert_int_equal(c->header[1].v.n, 17);
	assert_string_equal(c->header[2].v.p, "");
	(void)snprintf(path, sizeof(path), "%s/sources.d/extra.pem", f->dir);
	assert_string_equal(c->ca_extra, path);
	assert_int_equal((int)c->gate.min_rows_percent, 0);
	assert_int_equal((int)c->gate.max_withdrawn_percent, 100);
	assert_int_equal((int)c->gate.max_quarantined_percent, 5);
	assert_string_equal(c->licence, "CC BY 4.0");
	assert_string_equal(c->attribution, "World Bank");
	assert_string_equal(c->owner, "Afi");
	assert_int_equal(c->n_tags, 2);
	assert_string_equal(c->tags[1], "two words");
}

static void test_flags(void **state)
{
	static const char *const yes[] = {"yes", "true", "1"}, *const no[] = {"no", "false", "0"};
	char text[64];

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(text, sizeof(text), "enabled = %s\n", yes[i]);
		assert_true(source(*state, text)->enabled);
		(void)snprintf(text, sizeof(text), "enabled = %s\n", no[i]);
		assert_false(source(*state, text)->enabled);
	}
}

static void test_keep_payloads(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(source(f, "keep_payloads = all\n")->keep_payloads, KEEP_ALL);
	put(f->dir, "glane.conf", "[glane]\nplugin_path = plugins\nkeep_payloads = all\n");
	assert_int_equal(source(f, "")->keep_payloads, KEEP_ALL);
	assert_int_equal(source(f, "keep_payloads = events\n")->keep_payloads, KEEP_EVENTS);
	assert_int_equal(source(f, "keep_payloads = none\n")->keep_payloads, KEEP_NONE);
}

static void test_order_of_names(void **state)
{
	struct fixture *f = *state;

	put(f->dir, "sources.d/a.conf", "[source zz]\nplugin = csv\n[source b-1]\nplugin = csv\n");
	put(f->dir, "sources.d/z.conf", "[source a.b]\nplugin = nobody\n");
	put(f->dir, "sources.d/.hidden.conf", "nonsense");
	put(f->dir, "sources.d/note.txt", "nonsense");
	load(f);
	assert_string_equal(f->d.text, "");
	assert_int_equal(f->s.n_sources, 3);
	assert_string_equal(f->s.sources[0].name, "a.b");
	assert_null(f->s.sources[0].plugin_path);
	assert_string_equal(f->s.sources[1].name, "b-1");
	assert_string_equal(f->s.sources[2].name, "zz");
}

/* ---- what is refused ---- */

struct bad {
	const char *text; /* its line 3 is wrong */
	const char *why;
};

static void refused(struct fixture *f, const char *where, const char *why, const char *text)
{
	if (f->d.code != GLANE_E_CONFIG || !strstr(f->d.text, where) || !strstr(f->d.text, why))
		print_error("%s\n-> %d %s; wanted %s ... %s\n", text, (int)f->d.code, f->d.text, where, why);
	assert_int_equal(f->d.code, GLANE_E_CONFIG);
	assert_non_null(strstr(f->d.text, where));
	assert_non_null(strstr(f->d.text, why));
}

static void test_bad_values(void **state)
{
	static const struct bad cases[] = {{"enabled = maybe", "neither yes nor no"}, {"every = 90", "not an interval"},
		{"every = 0d", "not an interval"}, {"every = -1d", "not an interval"},
		{"every = 1y", "not an interval"}, {"every =", "not an interval"},
		{"every = 99999999999999999999d", "not an interval"}, {"deadline = 2w", "not a duration"},
		{"deadline = 0s", "not a duration"}, {"max_body = 0", "not a size"}, {"max_body = 1T", "not a size"},
		{"max_body = -5", "not a size"}, {"memory = big", "not a size"},
		{"memory = 9999999999999G", "not a size"}, {"retries = -1", "not a whole number from 0 to 20"},
		{"retries = 21", "from 0 to 20"}, {"retries = 2.5", "from 0 to 20"}, {"rate = 5", "not a rate"},
		{"rate = 0/s", "not a rate"}, {"rate = 5/d", "not a rate"}, {"rate = 5/ss", "not a rate"},
		{"rate = /s", "not a rate"}, {"base_url = ftp://example.org", "http or https"},
		{"base_url =", "http or https"}, {"auth = sesame", "never the secret itself"},
		{"auth = key=sesame", "never the secret itself"}, {"auth = =env:X", "never the secret itself"},
		{"empty = maybe", "neither keep nor skip"}, {"headers = X-Key", "'X-Key' is not NAME=VALUE"},
		{"headers = =1", "is not NAME=VALUE"},
		{"headers = Host=example.org", "header 'Host' is set by the host alone"},
		{"headers = transfer-encoding=chunked", "set by the host alone"},
		{"headers = Connection=close", "set by the host alone"}, {"headers = Content-Length=1", "alone"},
		{"headers = Content-Type=text/csv", "set by the host alone"},
		{"headers = Range=bytes=0-", "set by the host alone"}, {"headers = \"X Y=1\"", "cannot hold"},
		{"headers = X-K\xc3\xa9y=1", "cannot hold"}, {"headers = X:=1", "cannot hold"},
		{"headers = Authorization=\"Bearer sesame\"", "never the secret itself"},
		{"headers = X-Key=1 x-key=2", "'x-key' stands there twice"},
		{"headers = a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1 j=1 k=1 l=1 m=1 n=1 o=1 p=1 q=1", "more than 16"},
		{"keep_payloads = some", "events"}, {"hosts = \"a", "quote"}, {"tags = \"a", "quote"},
		{"gate.max_factor_percent = 1", "no gate is called"},
		{"gate.min_rows_percent = -1", "not a number from 0 to 1000"},
		{"gate.max_withdrawn_percent = 1001", "not a number from 0 to 1000"},
		{"gate.max_quarantined_percent = 1%", "not a number from 0 to 1000"},
		{"gate.row_limits = 100 many", "number"}, {"gate.max_factor = 1", "not a number from 2"},
		{"plugin = ecb", "stands already"}};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_null(source(f, cases[i].text));
		refused(f, "sources.d/s.conf:3", cases[i].why, cases[i].text);
	}
}

static void test_bad_secret_is_not_repeated(void **state)
{
	struct fixture *f = *state;

	assert_null(source(f, "auth = key=sesame-open\n"));
	assert_null(strstr(f->d.text, "sesame-open"));
	assert_null(source(f, "headers = Authorization=\"Bearer sesame-open\"\n"));
	assert_null(strstr(f->d.text, "sesame-open"));
}

static void test_bad_sections(void **state)
{
	static const struct {
		const char *text, *where, *why;
	} cases[] = {{"[source]\nplugin = csv\n", "s.conf:1", "[source NAME]"},
		{"[source Big]\nplugin = csv\n", "s.conf:1", "[source NAME]"},
		{"[source ../up]\nplugin = csv\n", "s.conf:1", "[source NAME]"},
		{"[source s]\n", "s.conf:1", "needs 'plugin"},
		{"[source s]\nplugin = ../csv\n", "s.conf:1", "needs 'plugin"},
		{"[sources s]\n", "s.conf:1", "no section"}, {"plugin = csv\n", "s.conf:1", ""},
		{"[source s]\nplugin = csv\n[source s]\nplugin = csv\n", "s.conf:3", "stands already"}};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		put(f->dir, "sources.d/s.conf", cases[i].text);
		load(f);
		refused(f, cases[i].where, cases[i].why, cases[i].text);
	}
}

static void test_bad_glane(void **state)
{
	static const struct bad cases[] = {{"jobs = 0", "not a whole number from 1 to 64"},
		{"jobs = 65", "from 1 to 64"}, {"per_host = many", "from 1 to 64"},
		{"sources = more.d", "sources = more.d: No such file"}, {"stall = 60", "not a duration"},
		{"colour = red", "no key 'colour'"}, {"plugin_path = \"a", "quote"}};
	struct fixture *f = *state;
	char text[128];

	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)snprintf(text, sizeof(text), "[glane]\n%s\n", cases[i].text);
		put(f->dir, "glane.conf", text);
		load(f);
		refused(f, "glane.conf:2", cases[i].why, text);
	}
	put(f->dir, "glane.conf", "# nothing\n");
	load(f);
	refused(f, "glane.conf", "no [glane] section", "");
	(void)remove(f->conf);
	load(f);
	refused(f, "glane.conf", "cannot open", "");
}

/* ---- providers ---- */

static void test_provider(void **state)
{
	struct fixture *f = *state;
	const struct source_conf *c;
	const struct conf_entry *e;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/providers", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	put(f->dir, "providers/p.conf",
		"[provider p]\nplugin = csv\nbase_url = https://p.example/\nhosts = a.example\nrate = 60/h\n"
		"licence = CC BY 4.0\nattribution = P\nca_extra = p.pem\nauth = K=file:key\ngate.hold_days = 3\n"
		"period = Year\n\n[provider unused]\n");
	c = source(f, "provider = p\nrate = 2/s\nlicence = other\n");
	assert_string_equal(f->d.text, "");
	assert_non_null(c);
	assert_string_equal(c->provider, "p");
	assert_string_equal(c->base_url, "https://p.example");
	assert_int_equal(c->n_hosts, 1);
	assert_true(c->rate > 1.99 && c->rate < 2.01);
	assert_string_equal(c->licence, "other");
	assert_string_equal(c->attribution, "P");
	assert_int_equal((int)c->gate.hold_days, 3);
	(void)snprintf(path, sizeof(path), "%s/providers/p.pem", f->dir);
	assert_string_equal(c->ca_extra, path);
	(void)snprintf(path, sizeof(path), "file:%s/providers/key", f->dir);
	assert_string_equal(c->secrets[0].spec, path);
	e = conf_find(c->section, "period");
	assert_non_null(e);
	assert_string_equal(e->value, "Year");
	assert_non_null(strstr(e->file, "providers/p.conf"));
	assert_int_equal(e->line, 11);
	put(f->dir, "sources.d/s.conf", "[source s]\nprovider = p\n\n[source t]\nprovider = p\nenabled = no\n");
	load(f);
	assert_string_equal(f->d.text, "");
	assert_string_equal(settings_find(&f->s, "s")->plugin, "csv");
	assert_false(settings_find(&f->s, "t")->enabled);
	assert_true(settings_find(&f->s, "s")->enabled);
}

static void test_bad_provider(void **state)
{
	static const struct {
		const char *file, *source, *where, *words;
	} cases[] = {
		{"", "provider = q\n", "sources.d/s.conf:3", "[provider q]"},
		{"[provider p]\nprovider = q\n", "", "more/p.conf:2", "cannot take from another provider"},
		{"[provider]\n", "", "more/p.conf:1", "[provider NAME]"},
		{"[provider P]\n", "", "more/p.conf:1", "[provider NAME]"},
		{"[provider p]\nrate = often\n", "provider = p\n", "more/p.conf:2", "not a rate"},
		{"[provider p]\n\ngate.none = 1\n", "provider = p\n", "more/p.conf:3", "no gate is called"},
		{"[provider p]\n[provider p]\n", "", "more/p.conf:2", "p"},
	};
	struct fixture *f = *state;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/more", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	put(f->dir, "glane.conf", "[glane]\nplugin_path = plugins\nproviders = more\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		put(f->dir, "more/p.conf", cases[i].file);
		assert_null(source(f, cases[i].source));
		assert_int_equal(f->d.code, GLANE_E_CONFIG);
		if (!strstr(f->d.text, cases[i].where) || !strstr(f->d.text, cases[i].words))
			fail_msg("case %zu: %s", i, f->d.text);
	}
}

static void test_no_memory(void **state)
{
	struct fixture *f = *state;
	glane_rc rc = GLANE_E_NOMEM;

	(void)source(f, "provider = p\nhosts = a b\nauth = k=env:K\ntags = x\n\n[provider p]\nbase_url = http://h\n");
	settings_release(&f->s);
	for (long n = 1; n < 2000 && rc != GLANE_OK; n++) {
		f->d = (struct diag){0};
		mem_fail_after(n, true);
		rc = settings_load(&f->s, f->conf, &f->d);
		mem_fail_after(0, false);
		if (rc != GLANE_OK)
			settings_release(&f->s);
		if (rc != GLANE_OK && f->d.text[0] == '\0')
			assert_int_equal(n, -1);
	}
	assert_int_equal(rc, GLANE_OK);
}

int main(void)
{
#define CASE(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_defaults),
		CASE(test_glane_keys),
		CASE(test_every),
		CASE(test_rate),
		CASE(test_source_keys),
		CASE(test_flags),
		CASE(test_keep_payloads),
		CASE(test_order_of_names),
		CASE(test_bad_values),
		CASE(test_bad_secret_is_not_repeated),
		CASE(test_bad_sections),
		CASE(test_bad_glane),
		CASE(test_provider),
		CASE(test_bad_provider),
		CASE(test_no_memory),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
