/* SPDX-License-Identifier: MIT */
/* What a worker may say, checked and put into the batch: between the frames of the wire, the seams of a run in-process, and intake.c. */
#ifndef PROC_INTAKE_CHECKS_H
#define PROC_INTAKE_CHECKS_H
#include "proc/intake.h"

glane_rc intake_payload(struct intake *in, struct slice sha256, struct diag *d);
glane_rc intake_series(struct intake *in, struct series *s, struct diag *d); /* sets its area */
glane_rc intake_note(struct intake *in, const struct note *n, struct diag *d);
glane_rc intake_period(struct intake *in, struct slice text, struct diag *d);
glane_rc intake_obs(struct intake *in, const struct glane_obs *obs, size_t n, struct diag *d);
glane_rc intake_cover(struct intake *in, const struct cover *c, struct diag *d);
glane_rc intake_erase(struct intake *in, const struct erase *e, struct diag *d);
glane_rc intake_cursor(struct intake *in, struct slice key, struct slice value, struct diag *d);
void intake_log(struct intake *in, int level, struct slice text);
#endif
