/* SPDX-License-Identifier: MIT */
/* Text in columns of a terminal: UTF-8 by its width, control characters made visible. */
#ifndef APP_COLUMNS_H
#define APP_COLUMNS_H
#include "base/strbuf.h"

/* Columns that s takes: 0 for combining marks, 2 for wide East Asian characters, and as many as "\xNN" has for what is not shown. */
size_t text_width(struct slice s);
enum align { ALIGN_LEFT, ALIGN_RIGHT };
/* Appends s in `width` columns; a longer text is cut, and ends with "..." or "…". Width 0: as it is. */
void put_text(struct strbuf *b, struct slice s, size_t width, enum align align, bool ascii);
/* True where the environment says that the terminal's characters are not UTF-8 (LC_ALL, LC_CTYPE, LANG; none set: they are not). */
bool locale_is_ascii(void);
#endif
