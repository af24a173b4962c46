/* SPDX-License-Identifier: MIT */
/* Batches and their rows, for the targets whose outcome they are. */
#include "fuzz.h"
#include "model/row.h"
#include <fcntl.h>

const struct areas *fuzz_areas(void)
{
	static struct areas areas;
	static bool is_read;
	struct diag d;

	if (is_read)
		return &areas;
	diag_clear(&d);
	fuzz_put("economies.csv", SLICE("iso3,iso2,m49,name_en,name_fr\nFRA,FR,250,France,France\n"
					"DEU,DE,276,Germany,Allemagne\n"));
	fuzz_put("areas.csv", SLICE("scheme,code,area,valid_from,valid_to\nWB,*,ISO3\nWB,WLD,M49:001\n"));
	fuzz_put("groups.csv", SLICE("group,area,valid_from,valid_to\nEU,FRA,1958-01-01\n"));
	FUZZ_SAY(areas_load(&areas, fuzz_folder(), &d) == GLANE_OK, "%s", d.text);
	is_read = true;
	return &areas;
}

void fuzz_batch(struct batch *b, bool has_spool)
{
	static int dir = -1;
	struct diag d;

	diag_clear(&d);
	if (dir < 0)
		dir = open(fuzz_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(dir >= 0);
	FUZZ_SAY(batch_init(b, has_spool ? dir : -1, &d) == GLANE_OK, "%s", d.text);
}

static void check_row(const struct row *r)
{
	struct strbuf first, second, scratch;
	struct row again;
	struct diag d;

	diag_clear(&d);
	strbuf_init(&first, 0);
	strbuf_init(&second, 0);
	strbuf_init(&scratch, 0);
	row_csv(&first, r, ROW_COLUMNS_ALL);
	FUZZ_SAY(row_parse_csv(strbuf_get(&first), ROW_COLUMNS_ALL, &scratch, &again, &d) == GLANE_OK, "%s: %s", d.text,
		first.p);
	row_csv(&second, &again, ROW_COLUMNS_ALL);
	FUZZ_SAY(slice_eq(strbuf_get(&first), strbuf_get(&second)), "%s\n%s", first.p, second.p);
	strbuf_release(&first);
	strbuf_release(&second);
	strbuf_release(&scratch);
}

void fuzz_batch_finish(struct batch *b)
{
	struct strbuf scratch[2];
	struct row rows[2];
	struct diag d;

	diag_clear(&d);
	strbuf_init(&scratch[0], 0);
	strbuf_init(&scratch[1], 0);
	FUZZ_SAY(batch_finish(b, NULL, NULL, &d) == GLANE_OK, "%s", d.text);
	for (size_t i = 0; i < b->n_obs; i++) {
		struct row *r = &rows[i & 1];

		batch_row(b, &b->obs[i], &scratch[i & 1], r);
		FUZZ_CHECK(strbuf_ok(&scratch[i & 1]));
		r->source = SLICE("fuzz");
		r->recorded_at = r->known_at = 0;
		r->event = SLICE("new");
		r->cause = SLICE("source");
		r->run = SLICE("20261123T234435Z");
		check_row(r);
		FUZZ_SAY(i == 0 || row_cmp_key(&rows[~i & 1], r) < 0, "row %zu of %zu", i, b->n_obs);
	}
	strbuf_release(&scratch[0]);
	strbuf_release(&scratch[1]);
}
