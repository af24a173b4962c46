/* SPDX-License-Identifier: MIT */
/* Names below the store, listing of folders, small documents. */
#include "store/files.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/file.h"
#include <stdio.h>
#include <string.h>

static glane_rc check_source(const char *source, struct diag *d)
{
	if (!conf_is_name(slice_of(source)))
		return fail(d, GLANE_E_USAGE, "'%s' is no name of a source ([a-z0-9][a-z0-9._-]{0,62})", source);
	return GLANE_OK;
}

glane_rc source_folder(const char *folder, const char *source, char ret[STORE_NAME], struct diag *d)
{
	if (check_source(source, d) < 0)
		return GLANE_E_USAGE;
	(void)snprintf(ret, STORE_NAME, "%s/%s", folder, source);
	return GLANE_OK;
}

glane_rc state_name(const char *source, uint64_t n, char ret[STORE_NAME], struct diag *d)
{
	if (check_source(source, d) < 0)
		return GLANE_E_USAGE;
	(void)snprintf(ret, STORE_NAME, "state/%s/%llu.json", source, (unsigned long long)n);
	return GLANE_OK;
}

void row_key(struct strbuf *b, const struct row *r)
{
	const struct slice parts[] = {
		r->source, r->dataset, r->indicator, r->area_code, r->dims, {&r->freq, 1}, r->period};

	strbuf_reset(b);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		strbuf_slice(b, parts[i]);
		strbuf_putc(b, '\0');
	}
}

bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && strcmp(name + n - m, suffix) == 0;
}

uint64_t file_number(const char *name, const char *suffix)
{
	int64_t n;

	if (!has_suffix(name, suffix) || *name < '1' || *name > '9')
		return 0;
	if (!slice_int((struct slice){name, strlen(name) - strlen(suffix)}, 1, INT64_MAX - 1, &n))
		return 0;
	return (uint64_t)n;
}

json_t *read_object(const struct store *s, const char *name, glane_rc *ret_rc, struct diag *d)
{
	struct diag own = {0};
	json_t *j = json_read_file(s->dir, name, JSON_FILE_MAX, &own);

	if (json_is_object(j))
		return j;
	if (j)
		(void)fail(&own, GLANE_E_FORMAT, "%s: is no JSON object", name);
	json_decref(j);
	*ret_rc = store_damaged(s, own.code, &own);
	(void)fail(d, *ret_rc, "%s", own.text);
	return NULL;
}

bool json_time(const json_t *j, const char *key, int64_t *ret)
{
	const json_t *v = json_object_get(j, key);

	if (json_is_integer(v)) {
		*ret = (int64_t)json_integer_value(v);
		return true;
	}
	return json_is_string(v) && time_parse((struct slice){json_string_value(v), json_string_length(v)}, ret);
}
