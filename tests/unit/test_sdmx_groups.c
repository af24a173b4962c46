/* SPDX-License-Identifier: MIT */
/* SDMX: groups wherever they stand in a message of any size, and what a deletion names. */
#include "read/record.h"

#include "support/families.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const ids[] = {
	"#action", "FREQ", "CURRENCY", "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "UNIT_MULT", "TITLE"};

static glane_rc read_records(struct payload *p, const struct record_options *o, struct strbuf *out, struct diag *d)
{
	struct record_reader *r = NULL;
	glane_rc rc = record_open(&r, p, o, d);

	while (rc == GLANE_OK && (rc = record_next(r)) == GLANE_OK) {
		for (size_t i = 0; i < COUNT(ids); i++) {
			const struct slice s = record_get(r, ids[i]);

			strbuf_puts(out, i ? " " : "");
			strbuf_puts(out, s.p ? "" : ".");
			strbuf_slice(out, s);
		}
		strbuf_putc(out, '\n');
	}
	if (r)
		record_close(r);
	return rc;
}

static glane_rc read_all(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	const struct record_options o = {.format = GLANE_FMT_SDMX};
	struct payload p;
	glane_rc rc;

	(void)arg;
	payload_memory(&p, doc, step, d);
	rc = read_records(&p, &o, out, d);
	payload_close(&p);
	return rc;
}

struct form {
	const char *name, *doc, *want;
};
#define S(cur, obs) "<Series FREQ=\"D\" CURRENCY=\"" cur "\">" obs "</Series>"
#define O(day, value) "<Obs TIME_PERIOD=\"" day "\" OBS_VALUE=\"" value "\"/>"
#define C(id, value) "<g:Value concept=\"" id "\" value=\"" value "\"/>"
#define G_SERIES(cur, value)                                                                                           \
	"<g:Series><g:SeriesKey>" C("FREQ", "D") C("CURRENCY",                                                         \
		cur) "</g:SeriesKey><g:Obs><g:Time>2013</g:Time><g:ObsValue value=\"" value "\"/></g:Obs></g:Series>"
#define G_GROUP(cur, mult)                                                                                             \
	"<g:Group type=\"x\"><g:GroupKey>" C("CURRENCY", cur) "</g:GroupKey><g:Attributes>" C(                         \
		"UNIT_MULT", mult) "</g:Attributes></g:Group>"
#define J_DIM(id, at, values) "{\"id\":\"" id "\",\"keyPosition\":" at ",\"values\":[" values "]}"
#define J_STRUCTURE                                                                                                    \
	"{\"dimensions\":{\"series\":[" J_DIM("CURRENCY", "1", "{\"id\":\"NZD\"},{\"id\":\"RUB\"}") "," J_DIM(         \
		"FREQ", "0", "{\"id\":\"D\"},{\"id\":\"M\"}") "],\"observation\":[" J_DIM("TIME_PERIOD", "2",          \
		"{\"id\":\"2013\"},{\"id\":\"2014\"}") "]},\"measures\":{\"observation\":[{\"id\":\"OBS_VALUE\"}]},"   \
						       "\"attributes\":{"                                              \
						       "\"dimensionGroup\":[{\"id\":\"UNIT_MULT\"},{\"id\":\"TITLE\"}" \
						       "],\"series\":[],\"observation\":[{\"id\":\"OBS_STATUS\"}]}}"
#define J(datasets) "{\"data\":{\"structures\":[" J_STRUCTURE "],\"dataSets\":[" datasets "]}}"

static const struct form forms[] = {
	{"compact: all groups behind, '<' in what is no tag, '>' in values",
		"<CompactData><Header/><DataSet>" S("NZD", O("2013", "1") O("2014", "2")) S("RUB",
			"<!-- </Series><Group CURRENCY=\"RUB\" UNIT_MULT=\"7\"/> -->" O("2013",
				"3>2\" OBS_STATUS=\"/") "<![CDATA[</Series>]]>") "<Series FREQ=\"D\" "
										 "CURRENCY=\"CHF\"/>"
										 "<Group CURRENCY=\"NZD\" "
										 "TITLE=\"a>b\" UNIT_MULT=\"3\"/>"
										 "<?x <Group?><Group "
										 "CURRENCY=\"RUB\" "
										 "UNIT_MULT=\"6\"></Group></DataSet></"
										 "CompactData>",
		"I D NZD 2013 1 . 3 a>b\nI D NZD 2014 2 . 3 a>b\nI D RUB 2013 3>2 / 6 .\n"},
	{"compact: two datasets, each with its own",
		"<CompactData><DataSet>" S("NZD",
			O("2013",
				"1")) "<Group CURRENCY=\"NZD\" UNIT_MULT=\"1\"/></DataSet><DataSet TITLE=\"t\">" S("NZ"
														   "D",
			O("2013", "2")) "<Group CURRENCY=\"NZD\" UNIT_MULT=\"2\"/></DataSet><DataSet>" S("NZD",
			O("2013", "3")) "</DataSet></CompactData>",
		"I D NZD 2013 1 . 1 .\nI D NZD 2013 2 . 2 t\nI D NZD 2013 3 . . .\n"},
	{"compact: of two groups the longer key wins, the series over both",
		"<CompactData><DataSet>" S("NZD", O("2013", "1"))
			S("RUB", O("2013", "2")) "<Series FREQ=\"D\" CURRENCY=\"NZD\" UNIT_MULT=\"9\">" O(
				"2014", "3") "</Series>"
					     "<Group FREQ=\"D\" CURRENCY=\"NZD\" UNIT_MULT=\"2\"/>"
					     "<Group FREQ=\"D\" UNIT_MULT=\"1\"/></DataSet></CompactData>",
		"I D NZD 2013 1 . 2 .\nI D RUB 2013 2 . 1 .\nI D NZD 2014 3 . 9 .\n"},
	{"compact: flat, groups between observations",
		"<CompactData><DataSet><Obs FREQ=\"D\" CURRENCY=\"NZD\" TIME_PERIOD=\"2013\" OBS_VALUE=\"1\"/>"
		"<Group CURRENCY=\"NZD\" UNIT_MULT=\"3\"/><Obs FREQ=\"D\" CURRENCY=\"NZD\" TIME_PERIOD=\"2014\" "
		"OBS_VALUE=\"2\"></Obs></DataSet></CompactData>\n<!-- end -->\n",
		"I D NZD 2013 1 . 3 .\nI D NZD 2014 2 . 3 .\n"},
	{"generic 2.0: behind their series, and around them",
		"<MessageGroup xmlns:g=\"g\"><Header/><g:DataSet>" G_SERIES(
			"NZD", "1") "<g:Group type=\"x\"><g:GroupKey>" C("CURRENCY",
			"RUB") "</g:GroupKey><g:Attributes>" C("TITLE", "t") "</g:Attributes>" G_SERIES("RUB",
			"2") "</g:Group>" G_GROUP("NZD", "3") G_GROUP("RUB", "6") "</g:DataSet></MessageGroup>",
		"I D NZD 2013 1 . 3 .\nI D RUB 2013 2 . 6 t\n"},
	{"3.0: attributes of a part of the key",
		"<m:StructureSpecificData xmlns:m=\"m\"><m:DataSet><Atts CURRENCY=\"NZD\" UNIT_MULT=\"3\"/>" S(
			"NZD", O("2013", "1")) S("RUB", O("2013", "2")) "</m:DataSet></m:StructureSpecificData>",
		"I D NZD 2013 1 . 3 .\nI D RUB 2013 2 . . .\n"},
	{"JSON: behind the series, by the positions of the dimensions, the longer key wins",
		J("{\"action\":\"Information\",\"series\":{\"0:0\":{\"observations\":{\"0\":[1],\"1\":[2]}},\"1:0\":{"
		  "\"observations\":{\"0\":[3]}},"
		  "\"1:1\":{\"observations\":{\"0\":[4]}}},"
		  "\"dimensionGroupAttributes\":{\"0:0:1\":[9],\"0:0:\":[3,\"t\"],\"0::\":[6],\"::\":[5,\"all\"]}}"),
		"I D NZD 2013 1 . 3 t\nI D NZD 2014 2 . 9 t\nI D RUB 2013 3 . 6 all\nI M RUB 2013 4 . 5 all\n"},
	{"deletions: observations, a series, a group, with attributes",
		"<CompactData><DataSet action=\"Delete\" TITLE=\"t\"><Group CURRENCY=\"RUB\" TITLE=\"-\"/>"
		"<Series FREQ=\"D\" CURRENCY=\"NZD\" UNIT_MULT=\"0\"><Obs TIME_PERIOD=\"2013\"/><Obs "
		"TIME_PERIOD=\"2014\" OBS_STATUS=\"-\"/></Series>"
		"<Series FREQ=\"D\" CURRENCY=\"RUB\"/><Series CURRENCY=\"CHF\" UNIT_MULT=\"-\"></Series><Obs "
		"TIME_PERIOD=\"2013\"/>"
		"</DataSet></CompactData>",
		"D . RUB . . . . -\nD D NZD 2013 . . . .\nD D NZD 2014 . - . .\nD D RUB . . . . .\nD . CHF . . . - .\n"
		"D . . 2013 . . . .\n"},
	{"deletion of a whole dataset, then another one; of a dataset's attributes there is none",
		"<CompactData><DataSet action=\"Delete\"/><DataSet action=\"Delete\" TITLE=\"-\"/><DataSet "
		"action=\"Append\">" S("NZD", O("2013", "1")) "<Group CURRENCY=\"NZD\" "
							      "UNIT_MULT=\"1\"/></DataSet></CompactData>",
		"D . . . . . . .\nA D NZD 2013 1 . 1 .\n"},
	{"deletions, generic",
		"<GenericData xmlns:g=\"g\"><DataSet action=\"Delete\">" G_GROUP(
			"RUB", "-") "<g:Series><g:SeriesKey>" C("CURRENCY",
			"NZD") "</g:SeriesKey></g:Series></DataSet></GenericData>",
		"D . RUB . . . - .\nD . NZD . . . . .\n"},
	{"deletions, CSV",
		"STRUCTURE,STRUCTURE_ID,ACTION,FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE,OBS_STATUS\ndataflow,E:X(1.0),D,D,,,"
		",\n"
		"dataflow,E:X(1.0),D,,NZD,2013,,-\ndataflow,E:X(1.0),D,D,~,,,-\n",
		"D D . . . . . .\nD . NZD 2013 . - . .\nD D ~ . . - . .\n"},
	{"deletions, JSON",
		J("{\"action\":\"Delete\",\"series\":{\"0:\":{},\":0\":{\"observations\":{}},\"1:1\":{\"observations\":"
		  "{\"0\":[],\"1\":[null,\"-\"],\"\":null}}}},"
		  "{\"action\":\"Delete\"},{\"action\":\"Delete\",\"dimensionGroupAttributes\":{\":1:\":[null,\"-\"]}},"
		  "{\"action\":\"Append\",\"series\":{\"0:0\":{\"observations\":{\"0\":[1]}}}}"),
		"D . NZD . . . . .\nD D . . . . . .\nD M RUB 2013 . . . .\nD M RUB 2014 . - . .\nD M RUB . . . . .\n"
		"D . . . . . . .\nD . RUB . . . . -\nA D NZD 2013 1 . . .\n"},
};

static struct family family_of(const struct form *f)
{
	const bool is_csv = *f->doc != '<' && *f->doc != '{';

	return (struct family){.name = f->name,
		.read = read_all,
		.doc = slice_of(f->doc),
		.mark = is_csv ? 60 : 1,
		.is_open_ended = is_csv || strstr(f->doc, "<!-- end -->")};
}

static void wherever_they_stand(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		const struct family f = family_of(&forms[i]);

		family_golden(&f, GLANE_END, forms[i].want);
		family_split(&f);
		family_cut(&f);
	}
}

static void want_of_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		const struct family f = family_of(&forms[i]);

		family_starved(&f, 600, GLANE_E_LIMIT, forms[i].want);
	}
}

/* ---- large ones ---- */

#define N 40000 /* series of some 200 bytes: more than any window */

static void put_series(struct strbuf *b, const char *more)
{
	strbuf_puts(b, "<CompactData><DataSet>");
	for (int i = 0; i < N; i++)
		strbuf_fmt(b,
			"<Series FREQ=\"D\" CURRENCY=\"C%05d\"><Obs TIME_PERIOD=\"2013\" OBS_VALUE=\"%d\"/><Obs "
			"TIME_PERIOD=\"2014\" OBS_VALUE=\"%d\" OBS_STATUS=\"A\"/></Series>\n",
			i, i, i);
	for (int i = 0; i < N; i++)
		strbuf_fmt(b, "<Group CURRENCY=\"C%05d\" UNIT_MULT=\"%d\"/>\n", i, i % 7);
	strbuf_puts(b, more);
	assert_true(strbuf_ok(b));
}

struct file {
	int fd;
	const char *encoding;
};

static glane_rc open_file(void *arg, struct payload *ret, struct diag *d)
{
	const struct file *f = arg;
	const struct payload_options o = {.encoding = f->encoding};

	return payload_open(ret, f->fd, &o, d);
}

static struct file file_of(const struct strbuf *b, const char *encoding)
{
	const struct file f = {memfd_create("message", MFD_CLOEXEC), encoding};

	assert_true(f.fd >= 0);
	assert_int_equal(write(f.fd, b->p, b->n), b->n);
	return f;
}

static glane_rc read_file(struct file *f, bool is_again, struct strbuf *out, struct diag *d)
{
	const struct record_options o = {
		.format = GLANE_FMT_SDMX, .again = is_again ? open_file : NULL, .again_arg = f};
	struct payload p;
	glane_rc rc = open_file(f, &p, d);

	assert_int_equal(rc, GLANE_OK);
	rc = read_records(&p, &o, out, d);
	payload_close(&p);
	close(f->fd);
	return rc;
}

static void check_all(const struct strbuf *out)
{
	const char *at = out->p;

	for (int i = 0; i < 2 * N; i++) {
		char want[96];
		const int n = snprintf(want, sizeof(want), "I D C%05d %s %d %s %d .\n", i / 2, i % 2 ? "2014" : "2013",
			i / 2, i % 2 ? "A" : ".", i / 2 % 7);

		if (strncmp(at, want, (size_t)n) != 0)
			fail_msg("observation %d: %.60s", i, at);
		at += n;
	}
	assert_int_equal(*at, '\0');
}

/* As mapped bytes, and as a stream behind a conversion. */
static void every_series_of_a_large_message(void **state)
{
	static const char *const encodings[] = {NULL, "windows-1252"};
	struct strbuf doc, out;
	struct diag d = {0};

	(void)state;
	strbuf_init(&doc, 0);
	put_series(&doc, "</DataSet></CompactData>");
	assert_true(doc.n > ((size_t)5 << 20));
	for (size_t i = 0; i < COUNT(encodings); i++) {
		struct file f = file_of(&doc, encodings[i]);

		strbuf_init(&out, 0);
		assert_int_equal(read_file(&f, true, &out, &d), GLANE_END);
		strbuf_putc(&out, '\0');
		check_all(&out);
		strbuf_release(&out);
	}
	strbuf_release(&doc);
}

static void what_breaks_gives_nothing(void **state)
{
	struct strbuf doc, out;
	struct diag d = {0};
	struct file f;

	(void)state;
	strbuf_init(&doc, 0);
	strbuf_init(&out, 0);
	put_series(&doc, "<Group CURRENCY=</DataSet></CompactData>");
	f = file_of(&doc, NULL);
	assert_int_equal(read_file(&f, true, &out, &d), GLANE_E_FORMAT);
	assert_int_equal(out.n, 0);
	assert_non_null(strstr(d.text, "line 80001"));
	strbuf_release(&doc);
}

static void what_cannot_be_read_twice(void **state)
{
	struct strbuf doc, out;
	struct diag d = {0};
	struct file f;

	(void)state;
	strbuf_init(&doc, 0);
	strbuf_init(&out, 0);
	put_series(&doc, "</DataSet></CompactData>");
	f = file_of(&doc, "windows-1252");
	assert_int_equal(read_file(&f, false, &out, &d), GLANE_E_FORMAT);
	assert_non_null(strstr(d.text, "have it write groups first"));
	strbuf_release(&doc);
	strbuf_release(&out);
}

static void too_many_sorts_of_groups(void **state)
{
	struct strbuf doc, out;
	struct diag d = {0};

	(void)state;
	strbuf_init(&doc, 0);
	strbuf_init(&out, 0);
	strbuf_puts(&doc, "{\"structure\":{\"dimensions\":{\"series\":[");
	for (int i = 0; i < 8; i++)
		strbuf_fmt(&doc, "%s{\"id\":\"D%d\",\"values\":[{\"id\":\"a\"}]}", i ? "," : "", i);
	strbuf_puts(&doc, "]}},\"dataSets\":[{\"dimensionGroupAttributes\":{");
	for (int i = 0; i < 256; i++) {
		strbuf_puts(&doc, i ? ",\"" : "\"");
		for (int k = 0; k < 8; k++)
			strbuf_fmt(&doc, "%s%s", k ? ":" : "", i >> k & 1 ? "0" : "");
		strbuf_puts(&doc, "\":[]");
	}
	strbuf_puts(&doc, "},\"series\":{}}]}");
	assert_int_equal(read_all(NULL, strbuf_get(&doc), 0, &out, &d), GLANE_E_LIMIT);
	assert_non_null(strstr(d.text, "64 sets of dimensions"));
	strbuf_release(&doc);
	strbuf_release(&out);
}

/* What a group costs is what it says, not what it could: 40,000 that name one attribute of 500. */
static void many_attributes(void **state)
{
	struct strbuf doc, out;
	struct diag d = {0};
	size_t n = 0;

	(void)state;
	strbuf_init(&doc, 0);
	strbuf_init(&out, 0);
	strbuf_puts(&doc, "{\"structure\":{\"dimensions\":{\"series\":[{\"id\":\"CURRENCY\",\"values\":[");
	for (int i = 0; i < 40000; i++)
		strbuf_fmt(&doc, "%s{\"id\":\"C%d\"}", i ? "," : "", i);
	strbuf_puts(&doc, "]}],\"observation\":[{\"id\":\"TIME_PERIOD\",\"values\":[{\"id\":\"2020\"}]}]},"
			  "\"attributes\":{\"dimensionGroup\":[{\"id\":\"TITLE\",\"values\":[{\"id\":\"said\"}]}");
	for (int i = 0; i < 500; i++)
		strbuf_fmt(&doc, ",{\"id\":\"A%d\"}", i);
	strbuf_puts(&doc, "]}},\"dataSets\":[{\"dimensionGroupAttributes\":{");
	for (int i = 0; i < 40000; i++)
		strbuf_fmt(&doc, "%s\"%d:\":[0]", i ? "," : "", i);
	strbuf_puts(&doc, "},\"series\":{");
	for (int i = 0; i < 40000; i += 100)
		strbuf_fmt(&doc, "%s\"%d\":{\"observations\":{\"0\":[1]}}", i ? "," : "", i);
	strbuf_puts(&doc, "}}]}");
	assert_int_equal(read_all(NULL, strbuf_get(&doc), 0, &out, &d), GLANE_END);
	for (const char *at = out.p; (at = strstr(at, " said\n")); at++)
		n++;
	assert_int_equal(n, 400);
	strbuf_release(&doc);
	strbuf_release(&out);
}

/* n groups of as many different sets of components: in a dataset, or each in one of its own. */
static glane_rc read_sorts(int n, bool is_apart, struct strbuf *out, struct diag *d)
{
	struct strbuf doc;
	glane_rc rc;

	strbuf_init(&doc, 0);
	strbuf_puts(&doc, "<m:StructureSpecificData xmlns:m=\"m\"><m:DataSet action=\"Append\">");
	for (int i = 0; i < n; i++) {
		if (i && is_apart)
			strbuf_puts(&doc, "</m:DataSet><m:DataSet action=\"Append\">");
		strbuf_fmt(&doc,
			"<Series FREQ=\"A\" CURRENCY=\"C\"><Obs TIME_PERIOD=\"2020\" OBS_VALUE=\"%d\"/></Series>", i);
		strbuf_fmt(&doc, "<Group CURRENCY=\"C\" COMMENT%d=\"x\" UNIT_MULT=\"%d\"/>", i, i);
	}
	strbuf_puts(&doc, "</m:DataSet></m:StructureSpecificData>");
	rc = read_all(NULL, strbuf_get(&doc), 0, out, d);
	strbuf_release(&doc);
	return rc;
}

static void too_many_sorts_in_xml(void **state)
{
	struct strbuf out;
	struct diag d = {0};

	(void)state;
	strbuf_init(&out, 0);
	assert_int_equal(read_sorts(64, false, &out, &d), GLANE_END);
	assert_int_equal(read_sorts(65, false, &out, &d), GLANE_E_LIMIT);
	assert_non_null(strstr(d.text, "64 different sets of components in a dataset"));
	strbuf_reset(&out);
	assert_int_equal(read_sorts(300, true, &out, &d), GLANE_END);
	for (int i = 0; i < 300; i++) {
		char said[48];

		(void)snprintf(said, sizeof(said), " 2020 %d . %d .", i, i);
		assert_non_null(strstr(out.p, said));
	}
	strbuf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wherever_they_stand),
		cmocka_unit_test(want_of_memory),
		cmocka_unit_test(every_series_of_a_large_message),
		cmocka_unit_test(what_breaks_gives_nothing),
		cmocka_unit_test(what_cannot_be_read_twice),
		cmocka_unit_test(too_many_sorts_of_groups),
		cmocka_unit_test(many_attributes),
		cmocka_unit_test(too_many_sorts_in_xml),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
