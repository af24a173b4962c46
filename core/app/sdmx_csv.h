/* SPDX-License-Identifier: MIT */
/*
 * Rows as SDMX-CSV 2.0.0 (sdmx-twg/sdmx-csv, field guide of the data message). One data structure holds every source:
 *   dimensions  SOURCE DATASET INDICATOR AREA_CODE DIMS FREQ TIME_PERIOD: the key, the provider's codes verbatim; what is empty
 *               is written _Z (not applicable), as an empty dimension stands for every value where rows are deleted
 *   measure     OBS_VALUE: the decimal as published; empty where there is no number
 *   attributes  REF_AREA (the column area) PERIOD_START VALUE_TEXT UNIT_MEASURE UNIT_MULT DECIMALS OBS_STATUS OBS_FLAGS
 *               COMMENT_OBS (note) RECORDED_AT KNOWN_AT
 */
#ifndef APP_SDMX_CSV_H
#define APP_SDMX_CSV_H
#include "model/row.h"

#define SDMX_INFORM 'I' /* ACTION: the observations, for information */
#define SDMX_REPLACE 'R'
#define SDMX_DELETE 'D' /* the key columns alone: the whole observation */

void sdmx_csv_header(struct strbuf *b, char action);
void sdmx_csv_row(struct strbuf *b, const struct row *r, char action);
#endif
