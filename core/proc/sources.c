/* SPDX-License-Identifier: MIT */
/* The broker's sources: what the scheduler says of each, and what is let go of with it. */
#include "proc/answers.h"

#include "base/file.h"
#include "net/secret_strike.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define MAX_TEXTS 1000 /* of each kind, of a source */

struct source *source_find(struct broker *b, uint32_t id)
{
	for (struct source *s = b->sources; s; s = s->next)
		if (s->id == id)
			return s;
	return NULL;
}

static struct fetch_secret *take_secrets(struct frame *f, struct arena *a, size_t *ret_n)
{
	const uint32_t n = frame_u32(f);
	struct fetch_secret *v = n <= 100 && !f->bad ? arena_alloc(a, (n + 1) * sizeof(*v)) : NULL;

	for (uint32_t i = 0; v && i < n; i++) {
		v[i].name = frame_cstr(f, a);
		v[i].spec = frame_cstr(f, a);
	}
	*ret_n = v ? n : 0;
	f->bad |= !v;
	return v;
}

glane_rc source_new(struct broker *b, struct frame *f, struct diag *d)
{
	struct source *s = mem_zalloc(1, sizeof(*s));
	int fd;

	if (!s)
		return fail(d, GLANE_E_NOMEM, "no memory for a source");
	arena_init(&s->arena, 0);
	map_init(&s->by_key, NULL);
	s->broker = b;
	s->id = frame_u32(f);
	s->policy.source = frame_cstr(f, &s->arena);
	s->policy.allowed = frame_texts(f, &s->arena, MAX_TEXTS, &s->policy.n_allowed);
	s->policy.declared = frame_texts(f, &s->arena, MAX_TEXTS, &s->policy.n_declared);
	s->policy.secrets = take_secrets(f, &s->arena, &s->policy.n_secrets);
	s->policy.max_body = frame_u64(f);
	s->policy.retries = frame_u32(f);
	s->policy.rate = frame_f64(f);
	s->policy.ca_extra = frame_cstr(f, &s->arena);
	s->keep = frame_u8(f);
	s->html = frame_u8(f) != 0;
	s->poison = frame_texts(f, &s->arena, MAX_TEXTS, &s->n_poison);
	s->deadline = frame_i64(f);
	s->next = b->sources;
	b->sources = s;
	fd = wire_take_fd(&b->control);
	s->has_client = fd >= 0;
	wire_init(&s->client, fd);
	s->spool = -1;
	if (!frame_done(f))
		return fail(d, GLANE_E_FORMAT, "a source sent to the broker does not read");
	if (fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return fail(d, GLANE_E_IO, "cannot prepare a worker's socket: %s", strerror(errno));
	return GLANE_OK;
}

void source_free(struct broker *b, struct source *s)
{
	for (struct source **at = &b->sources; *at; at = &(*at)->next)
		if (*at == s) {
			*at = s->next;
			break;
		}
	for (size_t i = 0; i < s->n_all; i++) {
		if (s->all[i]->pending)
			fetch_cancel(b->fetcher, s->all[i]->fetch_id);
		strike_free(s->all[i]->strike);
		secrets_release(&s->all[i]->sent);
		fd_close(&s->all[i]->fd);
	}
	fd_close(&s->spool);
	wire_release(&s->client);
	map_release(&s->by_key);
	mem_free(s->all);
	mem_free(s->asked);
	arena_release(&s->arena);
	mem_free(s);
}
