/* SPDX-License-Identifier: MIT */
/*
 * Circuit breakers, one per origin ("host:port"). BREAKER_FAILURES requests in a row that got no answer (each after all of its tries;
 * a 5xx or 429 is one) open it for BREAKER_SECONDS. Then it is half-open: one request goes out as a probe, and what becomes of
 * it counts for those that wait. Any answer closes it.
 */
#ifndef NET_FETCH_BREAKER_H
#define NET_FETCH_BREAKER_H
#include "base/diag.h"
#include "base/json.h"

#define BREAKER_FAILURES 5
#define BREAKER_SECONDS 900

enum breaker_gate {
	BREAKER_GO,
	BREAKER_WAIT, /* another request probes */
	BREAKER_OPEN
};
struct breakers;
struct breakers *breakers_new(void); /* NULL: no memory */
void breakers_free(struct breakers *b);
/* Times are clock_mono_ms(). May a request go there? *probing is set where it is the probe from now on, and stays with it until
 * breaker_result() or breaker_release(). */
enum breaker_gate breaker_ask(struct breakers *b, const char *origin, bool *probing, int64_t now);
/* The end of a request, or of a hop of it: answered, or not, for the reason `why`. Clears *probing. */
void breaker_result(struct breakers *b, const char *origin, bool *probing, bool answered, const char *why, int64_t now);
/* The probe ended without telling anything (cancelled, refused by us): the next request is the probe. */
void breaker_release(struct breakers *b, const char *origin, bool *probing);
int64_t breaker_open_ms(const struct breakers *b, const char *origin, int64_t now); /* for how long it is still open */
const char *breaker_why(const struct breakers *b, const char *origin);              /* the last failure, "" none */
/* Open ones become half-open: the user asks by name, and has perhaps mended what was broken. */
void breakers_half_open(struct breakers *b, int64_t now);
/* {"ORIGIN": {"failures": N, "open_until": UTC, "at": UTC, "why": TEXT}}, failures only; a clock that jumped costs at most
 * BREAKER_SECONDS, and what is older than a day is forgotten. */
bool breakers_changed(const struct breakers *b);                       /* since they were last stored */
json_t *breakers_store(struct breakers *b, int64_t mono, int64_t utc); /* NULL: no memory */
void breakers_load(struct breakers *b, const json_t *j, int64_t mono, int64_t utc);
#endif
