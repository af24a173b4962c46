/* SPDX-License-Identifier: MIT */
/* Ids: of the flow in what refers to it; what a component is where its message does not say, by the ids that the SDMX cross-domain concepts
 * and providers use. */
#include "read/sdmx.h"

#include <strings.h>

/* An id of the list that ends in '*' is a prefix. */
static bool is_listed(struct slice id, const char *const *ids, size_t n_ids)
{
	for (size_t i = 0; i < n_ids; i++) {
		const size_t n = strlen(ids[i]), stem = ids[i][n - 1] == '*' ? n - 1 : n;

		if ((stem < n ? id.n >= stem : id.n == n) && strncasecmp(id.p, ids[i], stem) == 0)
			return true;
	}
	return false;
}

bool sdmx_is_attribute(struct slice id)
{
	static const char *const ids[] = {"OBS_*", "TIME_FORMAT", "TITLE*", "UNIT_MULT*", "UNIT_MEASURE",
		"UNIT_INDEX_BASE", "DECIMALS", "CONF_STATUS*", "COLLECTION*", "COLL_*", "AVAILABILITY", "SOURCE*",
		"COMPIL*", "COVERAGE", "DOM_SER_IDS", "NAT_TITLE", "PUBL_*", "BREAKS", "LAST_UPDATE", "IDBANK",
		"COMMENT*", "NOTE*", "FOOTNOTE*", "POWERCODE*", "REFERENCEPERIOD*", "REFERENCE_PERIOD*",
		"REF_PERIOD_DETAIL", "BASE_PER*", "BASE_YEAR", "PRE_BREAK_VALUE", "EMBARGO*", "UPDATED", "EXT_*",
		"METHODOLOGY*", "DIFF_*", "PREVIEW", "VALUATION_DETAIL", "CURRENCY_UNIT", "CONTACT*", "DISS_ORG",
		"DISSEMINATION*", "QUALITY*", "ADJUST_DETAIL", "TIME_PER_COLLECT", "CUSTOM_BREAKDOWN",
		"CONFIDENTIALITY", "ACCOUNTING_CONVENTIONS", "REVISION", "VALIDFROM*", "EMBARGO_TIME", "LABEL",
		"DESCRIPTION", "MEASURE_DESCRIPTION", "STAT_CONC_DEF", "DATA_COMP", "CURRENCY_DETAIL", "NATURE_DATA",
		"UPPER_BOUND", "LOWER_BOUND", "GEO_INFO_*", "TIME_DETAIL", "OBSSTATUS", "OBS", "SERIES_NAME",
		"PERCENTILE_NOTE", "FULL_DESCRIPTION", "REPORTING_YEAR_START_DAY"};

	return is_listed(id, ids, sizeof(ids) / sizeof(ids[0]));
}

bool sdmx_is_text(struct slice id)
{
	static const char *const ids[] = {"OBS_COM*", "COMMENT*", "TITLE*", "NOTE*", "FOOTNOTE*", "COMPIL*", "COVERAGE",
		"SOURCE", "SOURCE_PUB", "SOURCE_DETAIL*", "METHODOLOGY*", "DESCRIPTION", "MEASURE_DESCRIPTION",
		"FULL_DESCRIPTION", "NAT_TITLE", "SERIES_NAME", "LABEL", "STAT_CONC_DEF", "DATA_COMP", "CONTACT*",
		"PUBL_*", "BREAKS", "DOM_SER_IDS", "OBS_NOTE", "OBS_FOOTNOTE", "EXT_TITLE*"};

	return is_listed(id, ids, sizeof(ids) / sizeof(ids[0]));
}

bool sdmx_is_of_series(struct slice id, int role)
{
	return role == GLANE_ROLE_DIMENSION ||
	       (role == GLANE_ROLE_ATTRIBUTE && id.n >= 4 &&
		       (strncasecmp(id.p, "UNIT", 4) == 0 || strncasecmp(id.p, "TITL", 4) == 0 ||
			       strncasecmp(id.p, "IDBA", 4) == 0));
}

static bool is_one(struct slice id, const char *name)
{
	return id.n == strlen(name) && strncasecmp(id.p, name, id.n) == 0;
}

int sdmx_role(struct slice id, const char *const *dimension, size_t n_dimension)
{
	for (size_t i = 0; i < n_dimension; i++)
		if (is_one(id, dimension[i]))
			return is_one(id, "TIME_PERIOD") || is_one(id, "TIME") ? GLANE_ROLE_TIME : GLANE_ROLE_DIMENSION;
	if (is_one(id, "TIME_PERIOD") || is_one(id, "TIME"))
		return GLANE_ROLE_TIME;
	if (is_one(id, "OBS_VALUE") || is_one(id, "VALUE"))
		return GLANE_ROLE_MEASURE;
	return n_dimension || sdmx_is_attribute(id) ? GLANE_ROLE_ATTRIBUTE : GLANE_ROLE_DIMENSION;
}

static struct slice behind(struct slice s, const char *at)
{
	return at ? (struct slice){at + 1, (size_t)(s.p + s.n - at - 1)} : s;
}

static struct slice before(struct slice s, const char *at)
{
	return at ? (struct slice){s.p, (size_t)(at - s.p)} : s;
}

struct slice sdmx_flow_id(struct slice ref)
{
	struct slice s = ref.n ? before(ref, memmem(ref.p, ref.n, ": ", 2)) : ref;

	s = s.n ? before(s, memchr(s.p, '(', s.n)) : s;
	if (slice_has_prefix(s, "urn:") && !memchr(s.p, '=', s.n))
		return (struct slice){NULL, 0};
	s = s.n ? behind(s, memrchr(s.p, '=', s.n)) : s;
	return slice_trim(s.n ? behind(s, memchr(s.p, ':', s.n)) : s);
}

bool sdmx_code_says_cut(struct slice code)
{
	int64_t v;

	return slice_int(code, 0, 999, &v) && (v == 130 || v == 413 || (v >= 500 && v <= 599));
}
