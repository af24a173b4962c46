/* SPDX-License-Identifier: MIT */
/*
 * Calls that do not compile, forced into every file of core with -include: text without bounds, what depends on locale
 * or time zone, memory that the test budget does not count. The headers that declare them come first; only a call
 * expands, so that members and addresses of these names in later headers still compile. mem.c undefines what it owns.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H
#include <alloca.h>
#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* Unbounded text: strbuf_*, arena_fmt(), snprintf(), struct slice. */
#undef strcpy
#define strcpy(...) banned_strcpy_use_strbuf
#undef strcat
#define strcat(...) banned_strcat_use_strbuf
#undef strncpy
#define strncpy(...) banned_strncpy_use_strbuf
#undef strncat
#define strncat(...) banned_strncat_use_strbuf
#undef strtok
#define strtok(...) banned_strtok_use_slice_cut
#undef sprintf
#define sprintf(...) banned_sprintf_use_strbuf_fmt
#undef vsprintf
#define vsprintf(...) banned_vsprintf_use_strbuf_fmt
#undef gets
#define gets(...) banned_gets_use_file_read

/* Numbers without errors, or read by the locale: slice_int(), model/decimal.h. */
#undef atoi
#define atoi(...) banned_atoi_use_slice_int
#undef atol
#define atol(...) banned_atol_use_slice_int
#undef atoll
#define atoll(...) banned_atoll_use_slice_int
#undef atof
#define atof(...) banned_atof_use_decimals
#undef strtod
#define strtod(...) banned_strtod_use_decimals
#undef strtof
#define strtof(...) banned_strtof_use_decimals
#undef strtold
#define strtold(...) banned_strtold_use_decimals
#undef setlocale
#define setlocale(...) banned_setlocale_output_depends_on_no_locale

/* Shared buffers and time zones: base/clock.h. */
#undef gmtime
#define gmtime(...) banned_gmtime_use_clock
#undef localtime
#define localtime(...) banned_localtime_use_clock
#undef localtime_r
#define localtime_r(...) banned_localtime_r_use_clock
#undef mktime
#define mktime(...) banned_mktime_use_clock
#undef ctime
#define ctime(...) banned_ctime_use_clock
#undef asctime
#define asctime(...) banned_asctime_use_clock

/* Memory: mem_*, arena_*. */
#undef malloc
#define malloc(...) banned_malloc_use_mem_alloc
#undef calloc
#define calloc(...) banned_calloc_use_mem_zalloc
#undef realloc
#define realloc(...) banned_realloc_use_mem_realloc
#undef reallocarray
#define reallocarray(...) banned_reallocarray_use_mem_realloc
#undef free
#define free(...) banned_free_use_mem_free
#undef strdup
#define strdup(...) banned_strdup_use_arena_strndup
#undef strndup
#define strndup(...) banned_strndup_use_arena_strndup
#undef asprintf
#define asprintf(...) banned_asprintf_use_arena_fmt
#undef vasprintf
#define vasprintf(...) banned_vasprintf_use_arena_fmt
#undef alloca
#define alloca(...) banned_alloca_use_mem_alloc

/* A shell between us and a process: proc/. */
#undef system
#define system(...) banned_system_use_spawn
#undef popen
#define popen(...) banned_popen_use_spawn
#endif
