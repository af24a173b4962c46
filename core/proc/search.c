/* SPDX-License-Identifier: MIT */
/*
 * Secrets that a provider wrote into its answers: struck out before anybody gets a body, or keeps it. A large body takes a second, one
 * that is made for it a minute: it is looked through a piece at a time, so that no source waits for the bodies of another.
 */
#include "proc/answers.h"

#include "base/clock.h"
#include "base/file.h"
#include "net/secret_strike.h"

#include <string.h>

#define PIECE ((size_t)256 << 10)
#define TURN_MS 20
#define AT_ONCE 3 /* pieces: all of a body that is not large, twice */

static void count(struct answer *a)
{
	struct diag why;

	diag_clear(&why);
	a->rc = body_count(a->source, a->size, &why);
	if (a->rc == GLANE_OK)
		return;
	a->message = arena_fmt(&a->source->arena, "%s", why.text);
	fd_close(&a->fd);
}

static void failed(struct answer *a, const struct diag *why)
{
	a->rc = why->code;
	a->message = arena_fmt(&a->source->arena, "%s %s: %s", a->request.method, a->request.url, why->text);
	fd_close(&a->fd);
}

/* One piece more; true: the answer is what it will be. */
static bool search_piece(struct answer *a)
{
	struct struck clean;
	struct diag why;
	bool through;

	diag_clear(&why);
	if (strike_some(a->strike, PIECE, &through, &clean, &why) != GLANE_OK)
		failed(a, &why);
	else if (!through)
		return false;
	else if (clean.n) {
		fd_close(&a->fd);
		a->fd = clean.fd;
		a->size = clean.size;
		a->struck = clean.n;
		memcpy(a->sha256, clean.sha256, sizeof(a->sha256));
	}
	strike_free(a->strike);
	a->strike = NULL;
	return true;
}

/* True: it is what it will be at once. */
static bool begin(struct answer *a)
{
	struct diag why;

	diag_clear(&why);
	if (strike_begin(&a->source->policy, &a->sent, a->fd, a->size, a->source->broker->tmp, &a->strike, &why) !=
		GLANE_OK)
		failed(a, &why);
	secrets_release(&a->sent);
	return !a->strike;
}

static void finish(struct answer *a)
{
	if (a->rc == GLANE_OK)
		count(a);
	answer_finished(a);
}

/* One that is large waits for those before it: each that is begun has room of its own. */
void answer_search(struct answer *a)
{
	struct source *s = a->source;
	const bool waits = s->searched && a->size > PIECE;
	bool is_done = !waits && begin(a);

	a->struck = 0;
	for (int i = 0; !waits && !is_done && i < AT_ONCE; i++)
		is_done = search_piece(a);
	if (is_done) {
		finish(a);
		return;
	}
	a->next_searched = NULL;
	*(s->searched ? s->searched_end : &s->searched) = a;
	s->searched_end = &a->next_searched;
}

void answers_search_some(struct source *s)
{
	const int64_t until = clock_mono_ms() + TURN_MS;

	while (s->searched && clock_mono_ms() < until) {
		struct answer *a = s->searched;
		const bool is_done = a->strike ? search_piece(a) : begin(a);

		if (!is_done)
			continue;
		s->searched = a->next_searched;
		finish(a);
	}
}
