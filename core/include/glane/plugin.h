/* SPDX-License-Identifier: MIT */
/*
 * The glane plugin ABI, 1.0: the only header that a plugin includes.
 *
 * A plugin is a shared object that exports one symbol, `glane_plugin_v1` (the major is in the name: an
 * incompatible plugin fails to resolve instead of crashing). It describes what to fetch; the host fetches, pages,
 * retries, caches, verifies, opens archives, reads records, and normalises what the plugin emits.
 *
 * Rules that hold for every call:
 *  - All calls are made from the thread that entered init() or run(), before it returns; a plugin creates no thread and no
 *    process, opens no file and no socket, and leaves signals, locale and environment alone. It is asked for one run in a
 *    process, which may be killed at any moment: what has to outlive the run is a cursor.
 *  - What the host returns is borrowed and dies with the run (record slices, heads, items: with the next next());
 *    what the plugin gives is copied during the call, but for the lists of struct glane_cube. Nobody frees the other's memory.
 *  - A negative return code is an error: give it back unchanged, also one that is not listed here (later hosts may have more).
 *    Once the run is cancelled (deadline, shutdown, row limit) every call that returns a code returns GLANE_E_CANCELLED.
 *  - A failure is never passed over: one of open(), next() or read() has to be returned, or answered by slice(), by cover() of
 *    kind FAILED or by another open() that succeeds; one given to fail() has to be returned, or given to slice() or cover(). A
 *    plugin that returns GLANE_OK all the same has failed. A defect (GLANE_E_USAGE), want of memory or a broken pipe ends the run
 *    in any case.
 *  - A null pointer where something has to be is GLANE_E_USAGE. A null reader gives nothing, a closed one neither; close() takes both.
 *  - Text is UTF-8 without NUL, at most 64 KiB, whatever the source's charset. What is not goes to quarantine (rows) or is
 *    GLANE_E_DATA (series). Paths, names, URLs and formats end with NUL.
 *
 * How it grows. The ABI is frozen: a plugin built against this header loads, and does the same, in every later host of major 1. A minor
 * may add a member at the end of a struct that begins with `size` (or of struct glane_opt, whose size is opt_stride), a service at the
 * end of struct glane_host, a macro, a struct. Nothing else changes: no member moves, no value of a macro, no signature; no padding
 * is taken, and there is none. glane_str, glane_kv, glane_list, glane_map and glane_obs never grow. For a plugin that means:
 *  - Give .size = sizeof(struct ...) and initialise the whole struct: zero in a member means "as before". A host takes members that
 *    are not there as zero. One that it does not know and that is not zero is GLANE_E_USAGE in a call, never ignored; in the
 *    descriptor and its options, which are constant, it is passed over: needs_minor says whether that may be.
 *  - A service of minor N is asked for by GLANE_HAS(h, name); a member, a flag or a format of minor N may be used where
 *    h->abi_minor >= N. Where nothing works without it, and for types of options, say .needs_minor = N: older hosts refuse the
 *    plugin then, and say why.
 *  - Values, bits and bytes that have no meaning are refused; members called zero or reserved are zero.
 *  - Later hosts may return further error codes and roles: give back the ones, pass over the others. Paths that begin with
 *    '#' or '$' are the host's.
 */
#ifndef GLANE_PLUGIN_H
#define GLANE_PLUGIN_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __cplusplus
extern "C" {
#endif
#define GLANE_ABI_MAJOR 1 /* also in the entry symbol's name */
#define GLANE_ABI_MINOR 0 /* +1 whenever something is added */
#ifdef __GNUC__
#define GLANE_PRINTF(text, args) __attribute__((__format__(__printf__, text, args)))
#else
#define GLANE_PRINTF(text, args)
#endif

typedef int32_t glane_rc;
#define GLANE_OK 0
#define GLANE_END 1            /* of next(): there is no further record. The only positive code */
#define GLANE_E_CANCELLED (-1) /* deadline, shutdown or row limit: return it unchanged */
#define GLANE_E_FETCH (-2)     /* transport or HTTP status, after the host's retries */
#define GLANE_E_FORMAT (-3)    /* bytes do not parse */
#define GLANE_E_DATA (-4)      /* parsed, but makes no sense: has the source changed shape? */
#define GLANE_E_CONFIG (-5)    /* the configuration asks for what cannot be */
#define GLANE_E_DENIED (-6)    /* URL outside the allowed hosts, or a service this host does not grant */
#define GLANE_E_NOMEM (-7)
#define GLANE_E_LIMIT (-8)  /* a size, depth or count limit was reached */
#define GLANE_E_IO (-9)     /* the host's own files */
#define GLANE_E_USAGE (-10) /* the call itself is wrong: a defect of the plugin */

typedef struct glane_str { /* borrowed text, no NUL at its end; p == NULL: absent, n is 0 then */
	const char *p;
	size_t n;
} glane_str;
static inline glane_str glane_str_of(const char *s) /* NULL: absent */
{
	glane_str text;

	text.p = s;
	text.n = s ? strlen(s) : 0;
	return text;
}
struct glane_kv {
	const char *k;
	glane_str v;
};
struct glane_list { /* value of a GLANE_OPT_LIST option */
	const char *const *v;
	size_t n;
};
struct glane_map { /* value of a GLANE_OPT_MAP option: items written KEY=VALUE */
	const struct glane_kv *v;
	size_t n;
};
typedef struct glane_run glane_run;       /* one execution of one configured source */
typedef struct glane_reader glane_reader; /* a stream of records; closed by the host when the run ends */

/* How the bytes are written. */
#define GLANE_FMT_RAW 0  /* bytes, through read() */
#define GLANE_FMT_CSV 1  /* records are lines; fields are columns by header name */
#define GLANE_FMT_JSON 2 /* records are selected by path; fields are paths inside the record */
#define GLANE_FMT_XML 3  /* records are selected elements; fields are attributes, child texts, ancestors' attributes */
#define GLANE_FMT_XLSX 7 /* as CSV, from a sheet of a workbook; skip counts rows, short rows are padded */
/* Cubes: a record is an observation, columns are the components of its dataset; role(), label() and cube() are theirs. `select`
 * is not used. `field` names the dimensions, in order, where a message may not tell them from attributes. get() also
 * knows "#dataset" (id), "#title", "#updated" (the provider's stamp), "#action" (one of I A M R D). */
#define GLANE_FMT_SDMX 4     /* SDMX-ML 2.0, 2.1, 3.0; SDMX-CSV 1.0, 2.x; SDMX-JSON 1.0, 2.x: the bytes say which */
#define GLANE_FMT_JSONSTAT 5 /* JSON-stat 1.x, 2.0: datasets, bundles, collections */
#define GLANE_FMT_TSV 6      /* Eurostat's: dimensions and periods in one header, a value and its flags in a cell */
#define GLANE_FMT_PX 8       /* PC-Axis: keywords, then the cells */

#define GLANE_ROLE_DIMENSION 1
#define GLANE_ROLE_TIME 2
#define GLANE_ROLE_MEASURE 3
#define GLANE_ROLE_ATTRIBUTE 4
#define GLANE_ROLE_AREA 5      /* a dimension that the message says is the area (JSON-stat: role geo) */
#define GLANE_ROLE_INDICATOR 6 /* likewise the indicator (JSON-stat: role metric) */

#define GLANE_PAGE_NONE 0
#define GLANE_PAGE_NUMBER 1 /* page_param counts pages, from page_first */
#define GLANE_PAGE_OFFSET 2 /* page_param counts records, from page_first */
#define GLANE_PAGE_NEXT 3   /* page_next is the path of the next page's URL */
/*
 * Pages go on until page_pages or page_total say that all are there; where neither is given, until a page is empty or holds fewer
 * records than page_len. GLANE_E_DATA: the first page lacks a count that is named, the counts change on the way, are not met, a page
 * comes twice or is empty before the last.
 */

struct glane_csv { /* dialect; zero means the default in brackets */
	uint32_t size;
	char delimiter;    /* [,] */
	char quote;        /* ["] ; '\1': no quoting */
	char decimal;      /* [.] decimal mark of numbers */
	char group;        /* [none] thousands separator of numbers */
	uint32_t skip;     /* lines before the header */
	uint8_t no_header; /* 1: columns are named 1, 2, 3, ... */
	uint8_t ragged;    /* 1: short records are padded, e.g. trailing footers; 0: they are an error */
	uint8_t trim;      /* 1: blanks around cells are dropped */
	uint8_t zero;      /* zero */
	const char *
		encoding; /* [UTF-8, or by byte-order mark] ISO-8859-1, windows-1252, UTF-16LE, UTF-16BE; of JSON too */
	const char *sheet; /* XLSX: name, or number from 1 [the first visible one] */
};

struct glane_request { /* what to fetch, and how to cut it into records */
	uint32_t size;
	uint8_t format, paging;       /* GLANE_FMT_*, GLANE_PAGE_* */
	uint16_t flags;               /* GLANE_REQ_* */
	const char *url;              /* "{base_url}" and "{auth:NAME}" are filled in by the host; see also split */
	const char *method;           /* GET or POST; NULL: POST where there is a body, else GET */
	const struct glane_kv *query; /* appended, percent-encoded; absent values are left out */
	size_t n_query;
	const struct glane_kv
		*header; /* {auth:NAME} in a value is a secret of the source; its key `headers` goes before these */
	size_t n_header;
	glane_str body;
	const char *content_type; /* of the body */
	const char *select;       /* path of one record: JSON "1.*", XML "Cube/Cube" (a suffix of the element path) */
	const char *const *field; /* paths bound to at(): field[0] is at(reader, 0); NULL: CSV columns in file order */
	size_t n_field;
	const char *const *head; /* paths of single values outside the records, for head() */
	size_t n_head;
	const char *page_param;      /* query parameter that advances */
	const char *page_size_param; /* query parameter that carries page_len, or NULL */
	uint32_t page_len;           /* records asked for per page */
	uint32_t page_first;         /* number of the first page or offset */
	const char *page_pages;      /* path of the number of pages, or NULL */
	const char *page_total;      /* path of the number of records over all pages, or NULL */
	const char *page_next;       /* path of the next page's URL */
	const char *error; /* path that is there, and not empty, only in an error answer; its text is reported */
	const struct glane_str
		*split; /* items joined by split_sep into "{split}" of the URL, in as few requests as fit */
	size_t n_split;
	const char *split_sep; /* [;] */
	uint32_t split_max;    /* items per request; 0: no limit */
	uint32_t split_chars;  /* characters of the joined items; 0: 1,500 */
	const char *member;    /* archive entry, a glob; NULL: the only one that matches the format */
	const struct glane_csv *csv;
	/*
	 * An answer that is being prepared is asked for again: seconds to wait before (at most 3,600; the source's deadline goes on), and
	 * a number that tells this request from the ones before: within a run, the same request with the same `again` has one answer.
	 */
	uint32_t wait, again;
};
#define GLANE_REQ_NO_ARCHIVE 1 /* the payload is to be read as it is, even where it is an archive */
#define GLANE_REQ_MAY_BE_EMPTY                                                                                         \
	2 /* for increments: an empty answer, 204, or 404 with the word that nothing matches, is no record */

struct glane_series { /* interned by value: same members, same handle */
	uint32_t size;
	char freq;             /* SDMX CL_FREQ: A S T Q M W D B; 0: by each observation's period */
	char reserved[3];      /* zero */
	glane_str dataset;     /* the provider's unit of publication */
	glane_str indicator;   /* the provider's code */
	glane_str area;        /* the provider's code, verbatim */
	glane_str area_scheme; /* ISO3 ISO2 M49 WB NAME ...: how `area` is to be understood */
	glane_str unit, title, area_title;
	const struct glane_kv *dims; /* the remaining dimensions, any order; absent values are left out */
	size_t n_dims;
	int32_t unit_mult; /* SDMX: true value = value * 10^unit_mult; -30 to 30 */
	uint32_t zero;     /* zero */
	glane_str updated; /* the provider's own update stamp */
};

struct glane_row { /* one observation as the provider wrote it */
	uint32_t size;
	uint32_t series;
	glane_str period; /* 2023, 2023-Q4, 2023Q4, 2023M07, 2023-W05, 2023-07-15, ... */
	glane_str value;  /* the number's text; text that is no number is kept as value_text */
	glane_str status; /* SDMX CL_OBS_STATUS; absent: A, or O without a value. Another word goes to flags whole */
	glane_str flags;  /* the provider's own flags, verbatim */
	glane_str note;
	glane_str unit_mult; /* absent: the series' */
};

/* How cube() takes the observations of a reader: read at the first call, the same for all. Its lists and their texts are not
 * copied: they stay as they are while the reader is open (values of options do). */
struct glane_cube {
	uint32_t size;
	uint32_t zero;         /* zero */
	glane_str dataset;     /* [the message's] */
	glane_str area_scheme; /* as in struct glane_series */
	/*
	 * Lists of component ids, in any case; one that ends in '*' is a prefix, "=TEXT" a constant. The first that the dataset has
	 * counts [the ids that SDMX and its providers use]. Of `indicator` all in one item joined by '+' count, joined by '.'; where
	 * there is none it is the dataset.
	 */
	struct glane_list indicator, area, unit, unit_mult, status, flags, note, title, freq, time;
	struct glane_list value; /* measures to take [all; the dimension MEASURE says which, where there are several] */
	struct glane_list drop;  /* dimensions to leave out of dims, and columns that are none */
	struct glane_map status_map; /* the provider's status or flag -> CL_OBS_STATUS */
	struct glane_map where;      /* only records with ID=VALUE|VALUE */
};

struct glane_obs { /* 24 bytes, frozen for ABI 1 */
	uint32_t series;
	int32_t period; /* in units of freq since year 0; negative: an entry of the run's period table */
	int64_t coef;   /* exact decimal: coef * 10^exp10 */
	int8_t exp10;   /* -128: no number */
	char status;    /* SDMX CL_OBS_STATUS; 0: A, or O without a number */
	uint16_t flags; /* GLANE_OBS_*; the host refuses other bits */
	uint32_t note;  /* handle from annotate(), 0: none */
};

#define GLANE_OBS_LAST                                                                                                 \
	1 /* the message goes on with another dataset or action: from here on what comes holds against what came before */

struct glane_annotation { /* attributes of an observation beyond its number and status */
	uint32_t size;
	uint8_t remove;        /* 1: the provider deletes this observation */
	uint8_t has_unit_mult; /* 1: unit_mult below overrides the series' */
	uint16_t zero;         /* zero */
	glane_str value_text, flags, note;
	int32_t unit_mult; /* -30 to 30 */
	uint32_t zero2;    /* zero */
};

#define GLANE_COVER_NONE 0   /* an increment: nothing is withdrawn */
#define GLANE_COVER_FULL 1   /* every observation that the provider has now */
#define GLANE_COVER_RANGE 2  /* every one whose first day is in [from, to] (ISO dates) */
#define GLANE_COVER_FAILED 3 /* this slice failed: drop its rows, keep its last state; the reason is the last fail() */
struct glane_cover {         /* what this fetch has seen of a dataset, or of one indicator of it; the unit of commit */
	uint32_t size;
	uint32_t kind;
	glane_str dataset;
	glane_str indicator; /* absent: the whole dataset */
	glane_str from, to;
};

/* The services. The table is the same during init() and run(), and gone after it. */
struct glane_host {
	uint32_t size;
	uint16_t abi_major, abi_minor; /* of the host: which members of structs it reads */

	/* ---- records */
	/* Opens a request (every page of it). The first page has been fetched and verified when it returns. *ret is NULL on failure.
	 * A run may open any number, also while others are open: after END or an error a reader holds nothing but its heads. */
	glane_rc (*open)(glane_run *, const struct glane_request *, glane_reader **ret);
	glane_rc (*next)(glane_reader *); /* OK, END, or an error; after END or an error the same again */
	glane_str (*get)(glane_reader *, const char *path); /* of the current record */
	glane_str (*at)(glane_reader *, size_t i);          /* field i: of `field`, else column i */
	glane_str (*head)(glane_reader *,
		size_t i); /* value of `head` i in the current page, once passed; after END the last's */
	/* JSON: members of the object, or elements of the array (k == NULL), at the path in the current record, in order; NULL: there is
	 * neither. The text of an object or array is as it is written, of null absent. */
	const struct glane_kv *(*items)(glane_reader *, const char *path, size_t *ret_n);
	size_t (*columns)(glane_reader *);               /* CSV, cubes: number of columns; 0: there are none */
	glane_str (*column)(glane_reader *, size_t i);   /* name of column i */
	int32_t (*role)(glane_reader *, size_t i);       /* cubes: GLANE_ROLE_* of column i; 0: there is none */
	glane_str (*label)(glane_reader *, size_t i);    /* cubes: name of the current record's code in column i */
	int64_t (*read)(glane_reader *, void *, size_t); /* FMT_RAW: bytes read, 0 at the end, or an error */
	void (*close)(glane_reader *);                   /* optional; the run's end closes all */

	/* ---- observations, which come from the payload that next() or read() was called on last: before it there are none */
	/* Handles are never 0. The last 16,384 of series, of annotations and of the period table stay valid; ask again for older ones. */
	glane_rc (*series)(glane_run *, const struct glane_series *, uint32_t *ret_handle);
	/* Parses and emits; what cannot be a period, number or text is quarantined with its record (OK is returned). */
	glane_rc (*emit)(glane_run *, const struct glane_row *);
	/* Cubes: series() and emit() of the current record, or a removal where its action is D. */
	glane_rc (*cube)(glane_run *, glane_reader *, const struct glane_cube *);
	/* For push(): texts to what an observation holds. GLANE_E_DATA: it is none; the caller may go on. *ret_freq 'I' with a negative
	 * *ret_period: an interval of no frequency, kept in the run's period table. */
	glane_rc (*period)(
		glane_run *, char freq, glane_str text, char *ret_freq, int32_t *ret_period); /* freq 0: any */
	glane_rc (*number)(
		glane_run *, glane_str text, struct glane_obs *); /* fills coef, exp10, note; text that is none: note */
	glane_rc (*annotate)(
		glane_run *, const struct glane_annotation *, uint32_t *ret_handle); /* 0: it says nothing */
	glane_rc (*push)(glane_run *, const struct glane_obs *, size_t n, size_t stride);
	/* The current record goes to quarantine under this rule, a word, with its reason. */
	glane_rc (*reject)(glane_run *, const char *rule, const char *fmt, ...) GLANE_PRINTF(3, 4);

	/* ---- what was seen */
	/* Declares it, after its observations. What nothing is declared of is an increment. */
	glane_rc (*cover)(glane_run *, const struct glane_cover *);
	/* Ends a slice, one of several that may fail alone; `how` is what reading it came to. GLANE_OK or GLANE_END: cover(). FETCH,
	 * FORMAT, DATA, DENIED, LIMIT: it failed, which is declared as by kind FAILED with the message "what: cause" (what NULL: the
	 * cause). Both give GLANE_OK: go on with the next. Any other code is not the slice's and comes back: return it. A run whose
	 * slices have all failed fails when it ends. */
	glane_rc (*slice)(glane_run *, glane_rc how, const struct glane_cover *, const char *what);

	/* ---- the run */
	glane_str (*cursor)(glane_run *, const char *key); /* as the last run that committed left it; absent: none */
	/* Stored only if the run commits, also where other slices of it failed; one that is not set again is gone. key: a word as the
	 * keys of a configuration are. Set it behind what it stands for: for a slice that failed, to what it was. */
	glane_rc (*set_cursor)(glane_run *, const char *key, glane_str);
	/* Keeps the message (a cause of the same code that is under way goes behind it) and returns the code to be returned. */
	glane_rc (*fail)(glane_run *, glane_rc, const char *fmt, ...) GLANE_PRINTF(3, 4);
	void (*log)(glane_run *, int32_t level, const char *fmt, ...) GLANE_PRINTF(3, 4); /* GLANE_LOG_* */
	int32_t (*cancelled)(glane_run *); /* 1: it is; for long loops without a call */
	int64_t (*now)(glane_run *);       /* seconds since 1970, fixed per run */
	/* Text that lives as long as the run: for URLs and messages, not for each record. NULL: no memory, or above 1 MiB. */
	const char *(*fmt)(glane_run *, const char *fmt, ...)GLANE_PRINTF(2, 3);
	/* A service beside these, by name and revision: "glane.progress/1"; "glane." are this project's. NULL: not offered. */
	const void *(*extension)(glane_run *, const char *id);
};
#define GLANE_LOG_DEBUG 0
#define GLANE_LOG_INFO 1
#define GLANE_LOG_WARN 2

#define GLANE_OPT_STR 1      /* const char * */
#define GLANE_OPT_INT 2      /* int64_t, between min and max where they differ */
#define GLANE_OPT_BOOL 3     /* uint8_t */
#define GLANE_OPT_LIST 4     /* struct glane_list: items separated by blanks, "quoted" where they hold blanks */
#define GLANE_OPT_MAP 5      /* struct glane_map: KEY=VALUE items, likewise */
#define GLANE_OPT_DURATION 6 /* int64_t seconds, from 90s 15m 6h 7d */
#define GLANE_OPT_SIZE 7     /* int64_t bytes, from 512k 64M 2G */
#define GLANE_OPT_REQUIRED 1 /* the only flag */
/* Configuration key -> member of the state struct. Without dflt (NULL) the member stays zero where the key is not given. */
struct glane_opt {
	const char *name; /* [a-z][a-z0-9_.-]{0,62}, none of glane's own */
	uint16_t type, flags;
	uint32_t offset; /* of the member, whose C type GLANE_OPT_* says */
	const char *dflt, *help;
	int64_t min, max; /* of INT, DURATION, SIZE; both 0: any */
};

struct glane_plugin { /* constant, written by GLANE_PLUGIN() */
	uint32_t size;
	uint16_t abi_major, abi_minor; /* compiled against */
	uint16_t needs_minor;          /* oldest host it can run on */
	uint16_t opt_stride;
	uint32_t state_size;                /* at most 1 MiB; zeroed, filled from .opts and freed by the host */
	const char *name, *version, *title; /* name: as its file is called, NAME.so */
	const char *base_url;               /* default of "{base_url}"; the configuration's key overrides it */
	const char *const *hosts; /* further hosts it may fetch from, HOST or https://HOST:PORT, then NULL; or NULL */
	const struct glane_opt *opts; /* ends at name == NULL */
	/* GLANE_OK or a negative code, nothing else. Nothing is committed of a run that fails. */
	glane_rc (*run)(const struct glane_host *, glane_run *, void *state);
	/* Optional from here. Of init() GLANE_OK: run() follows; another code ends the run with it. */
	glane_rc (*init)(const struct glane_host *, glane_run *, void *state);
	void (*fini)(
		void *state); /* once after init() and run(), also where one has failed; no service may be called */
	const void *(*extension)(const char *id); /* what later hosts may ask a plugin for; NULL: not offered */
};

#define GLANE_HAS(h, fn) ((h)->size >= offsetof(struct glane_host, fn) + sizeof((h)->fn) && (h)->fn)
#ifdef __cplusplus
#define GLANE_EXPORT extern "C" __attribute__((visibility("default")))
#define GLANE_STR(literal) (glane_str{("" literal), sizeof(literal) - 1})
#else
#define GLANE_EXPORT __attribute__((visibility("default")))
#define GLANE_STR(literal) ((glane_str){("" literal), sizeof(literal) - 1})
#endif
#define GLANE_STR_INIT(literal)                                                                                        \
	{                                                                                                              \
		("" literal), sizeof(literal) - 1                                                                      \
	} /* initialiser of a static glane_str */
/* The descriptor and its symbol, once in a plugin: GLANE_PLUGIN(.name = "x", ..., .run = run); in C++20 too. */
#define GLANE_PLUGIN(...)                                                                                              \
	static const struct glane_plugin glane_plugin_self_ = {.size = sizeof(struct glane_plugin),                    \
		.abi_major = GLANE_ABI_MAJOR,                                                                          \
		.abi_minor = GLANE_ABI_MINOR,                                                                          \
		.opt_stride = sizeof(struct glane_opt),                                                                \
		__VA_ARGS__};                                                                                          \
	GLANE_EXPORT const struct glane_plugin *glane_plugin_v1(void);                                                 \
	const struct glane_plugin *glane_plugin_v1(void)                                                               \
	{                                                                                                              \
		return &glane_plugin_self_;                                                                            \
	}                                                                                                              \
	struct glane_swallow_semicolon_
#ifdef __cplusplus
}
#endif
#endif
