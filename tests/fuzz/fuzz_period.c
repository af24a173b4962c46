/* SPDX-License-Identifier: MIT */
/* Periods. The first byte is the frequency that is wanted ('0': by the text), the rest a period's text. */
#include "fuzz.h"
#include "model/period.h"

static void check_value(struct slice text, const struct period *p)
{
	struct period again;
	struct strbuf b;
	int64_t day;
	glane_rc rc;

	FUZZ_SAY(p->value >= period_min(p->freq) && p->value <= period_max(p->freq), "%.*s", SLICE_FMT(text));
	strbuf_init(&b, 0);
	period_print(&b, p->freq, p->value);
	rc = period_parse(strbuf_get(&b), p->freq, &again, NULL);
	FUZZ_SAY(
		rc == GLANE_OK && again.freq == p->freq && again.value == p->value, "%.*s -> %s", SLICE_FMT(text), b.p);
	/* What is written is read without being told what it is; only B looks like D. */
	rc = period_parse(strbuf_get(&b), 0, &again, NULL);
	FUZZ_SAY(
		rc == GLANE_OK && again.freq == (p->freq == 'B' ? 'D' : p->freq) && again.value == p->value, "%s", b.p);
	FUZZ_SAY(period_text_start(strbuf_get(&b), &day) && day == period_start(p->freq, p->value), "%s", b.p);
	if (p->value > period_min(p->freq))
		FUZZ_SAY(period_start(p->freq, p->value - 1) < day, "%s", b.p);
	if (p->value < period_max(p->freq))
		FUZZ_SAY(period_start(p->freq, p->value + 1) > day, "%s", b.p);
	strbuf_release(&b);
}

FUZZ_TARGET(period)
{
	char want = in.n && in.p[0] != '0' ? in.p[0] : '\0';
	struct slice text = in.n ? (struct slice){in.p + 1, in.n - 1} : SLICE("");
	struct period p, header;
	struct diag d;
	int64_t day;
	glane_rc rc;

	diag_clear(&d);
	rc = period_parse(text, want, &p, &d);
	FUZZ_SAY(rc == GLANE_OK || (rc == GLANE_E_DATA && d.text[0]), "%d", (int)rc);
	if (rc == GLANE_OK) {
		FUZZ_CHECK(period_freq_ok(p.freq));
		FUZZ_SAY(!want || p.freq == want || p.freq == 'I', "%c wanted, %c got", want, p.freq);
		FUZZ_SAY(period_text_start(slice_trim(text), &day) || p.freq != 'I', "%.*s", SLICE_FMT(text));
		if (p.freq != 'I')
			check_value(text, &p);
	}
	if (period_header(text, &header) == GLANE_OK) {
		FUZZ_CHECK(header.freq != 'I');
		check_value(text, &header);
	}
}
