/* SPDX-License-Identifier: MIT */
/*
 * Where every member of the public header stands, on 64-bit machines. A line is added where a struct grows, none is ever changed: a
 * plugin that was built yesterday reads and writes at these places. Compiles as C and as C++.
 */
#ifndef SUPPORT_ABI_LAYOUT_H
#define SUPPORT_ABI_LAYOUT_H
#include <glane/plugin.h>
#ifdef __cplusplus
#define ABI_ASSERT(what) static_assert(what, #what)
#else
#define ABI_ASSERT(what) _Static_assert(what, #what)
#endif
#if UINTPTR_MAX == UINT64_MAX
#define AT(type, member, offset) ABI_ASSERT(offsetof(struct type, member) == (offset))
#define SIZE(type, size) ABI_ASSERT(sizeof(struct type) == (size))

SIZE(glane_str, 16);
AT(glane_str, p, 0);
AT(glane_str, n, 8);

SIZE(glane_kv, 24);
AT(glane_kv, k, 0);
AT(glane_kv, v, 8);

SIZE(glane_list, 16);
AT(glane_list, v, 0);
AT(glane_list, n, 8);

SIZE(glane_map, 16);
AT(glane_map, v, 0);
AT(glane_map, n, 8);

SIZE(glane_csv, 32);
AT(glane_csv, size, 0);
AT(glane_csv, delimiter, 4);
AT(glane_csv, quote, 5);
AT(glane_csv, decimal, 6);
AT(glane_csv, group, 7);
AT(glane_csv, skip, 8);
AT(glane_csv, no_header, 12);
AT(glane_csv, ragged, 13);
AT(glane_csv, trim, 14);
AT(glane_csv, encoding, 16);
AT(glane_csv, sheet, 24);

SIZE(glane_request, 232);
AT(glane_request, size, 0);
AT(glane_request, format, 4);
AT(glane_request, paging, 5);
AT(glane_request, flags, 6);
AT(glane_request, url, 8);
AT(glane_request, method, 16);
AT(glane_request, query, 24);
AT(glane_request, n_query, 32);
AT(glane_request, header, 40);
AT(glane_request, n_header, 48);
AT(glane_request, body, 56);
AT(glane_request, content_type, 72);
AT(glane_request, select, 80);
AT(glane_request, field, 88);
AT(glane_request, n_field, 96);
AT(glane_request, head, 104);
AT(glane_request, n_head, 112);
AT(glane_request, page_param, 120);
AT(glane_request, page_size_param, 128);
AT(glane_request, page_len, 136);
AT(glane_request, page_first, 140);
AT(glane_request, page_pages, 144);
AT(glane_request, page_total, 152);
AT(glane_request, page_next, 160);
AT(glane_request, error, 168);
AT(glane_request, split, 176);
AT(glane_request, n_split, 184);
AT(glane_request, split_sep, 192);
AT(glane_request, split_max, 200);
AT(glane_request, split_chars, 204);
AT(glane_request, member, 208);
AT(glane_request, csv, 216);
AT(glane_request, wait, 224);
AT(glane_request, again, 228);

SIZE(glane_series, 160);
AT(glane_series, size, 0);
AT(glane_series, freq, 4);
AT(glane_series, reserved, 5);
AT(glane_series, dataset, 8);
AT(glane_series, indicator, 24);
AT(glane_series, area, 40);
AT(glane_series, area_scheme, 56);
AT(glane_series, unit, 72);
AT(glane_series, title, 88);
AT(glane_series, area_title, 104);
AT(glane_series, dims, 120);
AT(glane_series, n_dims, 128);
AT(glane_series, unit_mult, 136);
AT(glane_series, updated, 144);

SIZE(glane_row, 104);
AT(glane_row, size, 0);
AT(glane_row, series, 4);
AT(glane_row, period, 8);
AT(glane_row, value, 24);
AT(glane_row, status, 40);
AT(glane_row, flags, 56);
AT(glane_row, note, 72);
AT(glane_row, unit_mult, 88);

SIZE(glane_obs, 24);
AT(glane_obs, series, 0);
AT(glane_obs, period, 4);
AT(glane_obs, coef, 8);
AT(glane_obs, exp10, 16);
AT(glane_obs, status, 17);
AT(glane_obs, flags, 18);
AT(glane_obs, note, 20);

SIZE(glane_annotation, 64);
AT(glane_annotation, size, 0);
AT(glane_annotation, remove, 4);
AT(glane_annotation, has_unit_mult, 5);
AT(glane_annotation, zero, 6);
AT(glane_annotation, value_text, 8);
AT(glane_annotation, flags, 24);
AT(glane_annotation, note, 40);
AT(glane_annotation, unit_mult, 56);
AT(glane_annotation, zero2, 60);

SIZE(glane_cover, 72);
AT(glane_cover, size, 0);
AT(glane_cover, kind, 4);
AT(glane_cover, dataset, 8);
AT(glane_cover, indicator, 24);
AT(glane_cover, from, 40);
AT(glane_cover, to, 56);

SIZE(glane_host, 240);
AT(glane_host, size, 0);
AT(glane_host, abi_major, 4);
AT(glane_host, abi_minor, 6);
AT(glane_host, open, 8);
AT(glane_host, next, 16);
AT(glane_host, get, 24);
AT(glane_host, at, 32);
AT(glane_host, columns, 40);
AT(glane_host, column, 48);
AT(glane_host, head, 56);
AT(glane_host, read, 64);
AT(glane_host, close, 72);
AT(glane_host, series, 80);
AT(glane_host, emit, 88);
AT(glane_host, period, 96);
AT(glane_host, number, 104);
AT(glane_host, annotate, 112);
AT(glane_host, push, 120);
AT(glane_host, reject, 128);
AT(glane_host, cover, 136);
AT(glane_host, cursor, 144);
AT(glane_host, set_cursor, 152);
AT(glane_host, fail, 160);
AT(glane_host, log, 168);
AT(glane_host, cancelled, 176);
AT(glane_host, now, 184);
AT(glane_host, fmt, 192);
AT(glane_host, extension, 200);
AT(glane_host, role, 208);
AT(glane_host, label, 216);
AT(glane_host, cube, 224);
AT(glane_host, items, 232);

SIZE(glane_cube, 264);
AT(glane_cube, size, 0);
AT(glane_cube, zero, 4);
AT(glane_cube, dataset, 8);
AT(glane_cube, area_scheme, 24);
AT(glane_cube, indicator, 40);
AT(glane_cube, area, 56);
AT(glane_cube, unit, 72);
AT(glane_cube, unit_mult, 88);
AT(glane_cube, status, 104);
AT(glane_cube, flags, 120);
AT(glane_cube, note, 136);
AT(glane_cube, title, 152);
AT(glane_cube, freq, 168);
AT(glane_cube, time, 184);
AT(glane_cube, value, 200);
AT(glane_cube, drop, 216);
AT(glane_cube, status_map, 232);
AT(glane_cube, where, 248);

SIZE(glane_opt, 48);
AT(glane_opt, name, 0);
AT(glane_opt, type, 8);
AT(glane_opt, flags, 10);
AT(glane_opt, offset, 12);
AT(glane_opt, dflt, 16);
AT(glane_opt, help, 24);
AT(glane_opt, min, 32);
AT(glane_opt, max, 40);

SIZE(glane_plugin, 96);
AT(glane_plugin, size, 0);
AT(glane_plugin, abi_major, 4);
AT(glane_plugin, abi_minor, 6);
AT(glane_plugin, needs_minor, 8);
AT(glane_plugin, opt_stride, 10);
AT(glane_plugin, state_size, 12);
AT(glane_plugin, name, 16);
AT(glane_plugin, version, 24);
AT(glane_plugin, title, 32);
AT(glane_plugin, base_url, 40);
AT(glane_plugin, hosts, 48);
AT(glane_plugin, opts, 56);
AT(glane_plugin, run, 64);
AT(glane_plugin, init, 72);
AT(glane_plugin, fini, 80);
AT(glane_plugin, extension, 88);
#endif
#endif
