
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Writes counters and gauges as Prometheus text (exposition format 0.0.4) or
 * as a JSON document.
 */


#ifndef GW_METRICS_H
#define GW_METRICS_H


#include "gw.h"


#define GW_METRICS_LABELS  4       /* labels a sample, at most */


typedef enum {
    GW_METRICS_JSON = 0,
    GW_METRICS_PROMETHEUS
} gw_metrics_format_e;


typedef enum {
    GW_METRIC_COUNTER = 0,         /* a count of events */
    GW_METRIC_GAUGE,               /* a number that goes up and down */
    GW_METRIC_USEC,                /* gauge in usec, shown in seconds */
    GW_METRIC_TIME                 /* counter in usec, shown in seconds */
} gw_metric_type_e;


typedef struct {
    const char             *name;  /* [a-z_]+ */
    const char             *help;  /* one line, no backslash */
    gw_metric_type_e        type;
} gw_metric_desc_t;


typedef struct {
    const char             *name;  /* [a-z_]+ */
    const unsigned char    *data;  /* value, any bytes: it is escaped */
    size_t                  len;
} gw_metric_label_t;


typedef struct {
    uint64_t                value;
    size_t                  nlabels;
    gw_metric_label_t       labels[GW_METRICS_LABELS];
} gw_metric_sample_t;


/*
 * The three parts of a document: begin, one call for each family, end.
 *
 *     p        where to write, or NULL to learn the length
 *     format   of the document, the same in all calls
 *     first    not 0 for the first family of the document
 *     desc     name, help and type of the family
 *     samples  n samples with up to GW_METRICS_LABELS labels
 *
 * Return the number of bytes written or needed.  Cannot fail.  Bytes that
 * are not allowed in the format are escaped; invalid UTF-8 and control
 * characters in a label become "?".
 *
 * Source: Prometheus exposition formats, text format 0.0.4; RFC 8259, 7.
 */

size_t gw_metrics_begin(unsigned char *p, gw_metrics_format_e format);
size_t gw_metrics_family(unsigned char *p, gw_metrics_format_e format,
    int first, const gw_metric_desc_t *desc,
    const gw_metric_sample_t *samples, size_t n);
size_t gw_metrics_end(unsigned char *p, gw_metrics_format_e format);


#endif /* GW_METRICS_H */
