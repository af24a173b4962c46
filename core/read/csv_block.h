/* SPDX-License-Identifier: MIT */
/*
 * The loop over 64-byte blocks, included by csv_index.c once per instruction set with these macros set: SCAN_NAME the
 * function, SCAN_TARGET its attribute, SCAN_MASKS(p, x) the block's struct masks, SCAN_COUNT(m) its one bits,
 * SCAN_PREFIX(m) for each bit the parity of the bits up to it, SCAN_FLATTEN(out, at, m) puts the offsets of its one
 * bits at out and returns what follows them.
 */

/* p: the byte at x->at, with 4 readable bytes after the last block. */
static SCAN_TARGET void SCAN_NAME(struct csv_index *x, const unsigned char *p, size_t n_blocks)
{
	const uint64_t strict = x->is_lax ? 0 : ~UINT64_C(0);
	uint64_t in_quote = x->in_quote, before = x->before, shut = x->shut;
	uint32_t *out = x->sep + x->n_sep, at = (uint32_t)x->at;
	struct csv_end *end = x->end + x->n_end;
	uint32_t lines = x->lines;
	bool is_doubled = x->is_doubled;

	for (; n_blocks > 0; n_blocks--, p += 64, at += 64) {
		const struct masks m = SCAN_MASKS(p, x);
		const uint64_t crlf = m.cr & (m.lf >> 1 | (uint64_t)(p[64] == '\n') << 63);
		uint64_t eol = m.lf | (m.cr & ~crlf), sep = m.delimiter | eol;
		uint64_t bad = m.nul, inner = 0, twice = 0;

		if (m.high)
			bad |= utf8_block(x, p, m.high);
		if (m.quote | in_quote | shut) {
			const uint64_t in = SCAN_PREFIX(m.quote) ^ in_quote; /* from an opening quote up to its end */
			const uint64_t open = m.quote & in, after = (m.quote & ~in) << 1 | shut;

			inner = m.lf & in;
			sep &= ~in;
			eol &= ~in;
			twice = open & after;
			bad |= open & ~(sep << 1 | before | after) & strict;
			bad |= after & ~(sep | open | crlf) & strict;
			in_quote = UINT64_C(0) - (in >> 63);
			shut = (m.quote & ~in) >> 63;
		}
		before = sep >> 63;
		if (__builtin_expect(bad != 0, 0)) {
			const uint64_t keep = (bad & (~bad + 1)) - 1;

			block_fail(x, p, at, bad);
			sep &= keep;
			eol &= keep;
			n_blocks = 1;
		}
		if ((inner | twice | lines | is_doubled) == 0) {
			/* Without a branch on whether there is a line end: that would be a coin toss. */
			end->sep = (uint32_t)(out - x->sep) + (uint32_t)SCAN_COUNT(sep & ((eol & (~eol + 1)) - 1));
			end->lines = 2;
			end += eol != 0;
			eol &= eol - 1;
		}
		while (eol) {
			const uint64_t below = (eol & (~eol + 1)) - 1;

			lines += (uint32_t)SCAN_COUNT(inner & below);
			is_doubled |= (twice & below) != 0;
			inner &= ~below;
			twice &= ~below;
			end->sep = (uint32_t)(out - x->sep) + (uint32_t)SCAN_COUNT(sep & below);
			end->lines = (lines + 1) << 1 | is_doubled;
			end++;
			lines = 0;
			is_doubled = false;
			eol &= eol - 1;
		}
		if (inner | twice) {
			lines += (uint32_t)SCAN_COUNT(inner);
			is_doubled |= twice != 0;
		}
		out = SCAN_FLATTEN(out, at, sep);
	}
	x->in_quote = in_quote;
	x->before = before;
	x->shut = shut;
	x->lines = lines;
	x->is_doubled = is_doubled;
	x->is_inside = in_quote != 0;
	x->at = at;
	x->n_sep = (size_t)(out - x->sep);
	x->n_end = (size_t)(end - x->end);
}
#undef SCAN_NAME
#undef SCAN_TARGET
#undef SCAN_MASKS
#undef SCAN_COUNT
#undef SCAN_PREFIX
#undef SCAN_FLATTEN
