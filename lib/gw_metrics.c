
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdio.h>
#include <string.h>

#include "gw_metrics.h"


/* "18446744073709.551615" and the final zero */
#define GW_METRICS_NUMBER  24


/* the output: counts when there is nowhere to write */

typedef struct {
    unsigned char  *p;
    size_t          len;
} gw_metrics_out_t;


static void gw_metrics_prometheus(gw_metrics_out_t *out,
    const gw_metric_desc_t *desc, const gw_metric_sample_t *samples, size_t n);
static void gw_metrics_json(gw_metrics_out_t *out, int first,
    const gw_metric_desc_t *desc, const gw_metric_sample_t *samples, size_t n);
static void gw_metrics_put(gw_metrics_out_t *out, const char *data,
    size_t len);
static void gw_metrics_text(gw_metrics_out_t *out, const char *text);
static void gw_metrics_label(gw_metrics_out_t *out,
    const gw_metric_label_t *label);
static size_t gw_metrics_utf8(const unsigned char *p, size_t len);
static void gw_metrics_value(gw_metrics_out_t *out, gw_metric_type_e type,
    uint64_t value);


size_t
gw_metrics_begin(unsigned char *p, gw_metrics_format_e format)
{
    gw_metrics_out_t  out;

    out.p = p;
    out.len = 0;

    if (format == GW_METRICS_JSON) {
        gw_metrics_text(&out, "{");
    }

    return out.len;
}


size_t
gw_metrics_end(unsigned char *p, gw_metrics_format_e format)
{
    gw_metrics_out_t  out;

    out.p = p;
    out.len = 0;

    if (format == GW_METRICS_JSON) {
        gw_metrics_text(&out, "}\n");
    }

    return out.len;
}


size_t
gw_metrics_family(unsigned char *p, gw_metrics_format_e format, int first,
    const gw_metric_desc_t *desc, const gw_metric_sample_t *samples, size_t n)
{
    gw_metrics_out_t  out;

    out.p = p;
    out.len = 0;

    if (format == GW_METRICS_JSON) {
        gw_metrics_json(&out, first, desc, samples, n);

    } else {
        gw_metrics_prometheus(&out, desc, samples, n);
    }

    return out.len;
}


static void
gw_metrics_prometheus(gw_metrics_out_t *out, const gw_metric_desc_t *desc,
    const gw_metric_sample_t *samples, size_t n)
{
    size_t  i, j;

    gw_metrics_text(out, "# HELP ");
    gw_metrics_text(out, desc->name);
    gw_metrics_text(out, " ");
    gw_metrics_text(out, desc->help);
    gw_metrics_text(out, "\n# TYPE ");
    gw_metrics_text(out, desc->name);
    gw_metrics_text(out, (desc->type == GW_METRIC_COUNTER
                          || desc->type == GW_METRIC_TIME) ? " counter\n"
                                                           : " gauge\n");

    for (i = 0; i < n; i++) {
        gw_metrics_text(out, desc->name);

        for (j = 0; j < samples[i].nlabels; j++) {
            gw_metrics_text(out, j == 0 ? "{" : ",");
            gw_metrics_text(out, samples[i].labels[j].name);
            gw_metrics_text(out, "=\"");
            gw_metrics_label(out, &samples[i].labels[j]);
            gw_metrics_text(out, "\"");
        }

        gw_metrics_text(out, j ? "} " : " ");
        gw_metrics_value(out, desc->type, samples[i].value);
        gw_metrics_text(out, "\n");
    }
}


static void
gw_metrics_json(gw_metrics_out_t *out, int first,
    const gw_metric_desc_t *desc, const gw_metric_sample_t *samples, size_t n)
{
    size_t  i, j;

    gw_metrics_text(out, first ? "\"" : ",\"");
    gw_metrics_text(out, desc->name);
    gw_metrics_text(out, "\":[");

    for (i = 0; i < n; i++) {
        gw_metrics_text(out, i == 0 ? "{" : ",{");

        for (j = 0; j < samples[i].nlabels; j++) {
            gw_metrics_text(out, "\"");
            gw_metrics_text(out, samples[i].labels[j].name);
            gw_metrics_text(out, "\":\"");
            gw_metrics_label(out, &samples[i].labels[j]);
            gw_metrics_text(out, "\",");
        }

        gw_metrics_text(out, "\"value\":");
        gw_metrics_value(out, desc->type, samples[i].value);
        gw_metrics_text(out, "}");
    }

    gw_metrics_text(out, "]");
}


static void
gw_metrics_put(gw_metrics_out_t *out, const char *data, size_t len)
{
    if (out->p) {
        memcpy(out->p + out->len, data, len);
    }

    out->len += len;
}


static void
gw_metrics_text(gw_metrics_out_t *out, const char *text)
{
    gw_metrics_put(out, text, strlen(text));
}


/* both formats know \" and \\; everything else is left out or as it is */

static void
gw_metrics_label(gw_metrics_out_t *out, const gw_metric_label_t *label)
{
    size_t                i, n;
    const unsigned char  *p;

    p = label->data;

    for (i = 0; i < label->len; i += n) {

        n = gw_metrics_utf8(p + i, label->len - i);

        if (n == 0 || p[i] < 0x20 || p[i] == 0x7f) {
            gw_metrics_text(out, "?");
            n = 1;
            continue;
        }

        if (p[i] == '"' || p[i] == '\\') {
            gw_metrics_text(out, "\\");
        }

        gw_metrics_put(out, (const char *) p + i, n);
    }
}


/* length of the UTF-8 sequence at p, or 0 if it is none (RFC 3629, 4) */

static size_t
gw_metrics_utf8(const unsigned char *p, size_t len)
{
    size_t         i, n;
    unsigned char  min, max;

    if (p[0] < 0x80) {
        return 1;
    }

    if (p[0] < 0xc2 || p[0] > 0xf4) {
        return 0;
    }

    n = (p[0] < 0xe0) ? 2 : (p[0] < 0xf0) ? 3 : 4;

    if (len < n) {
        return 0;
    }

    min = (p[0] == 0xe0) ? 0xa0 : (p[0] == 0xf0) ? 0x90 : 0x80;
    max = (p[0] == 0xed) ? 0x9f : (p[0] == 0xf4) ? 0x8f : 0xbf;

    if (p[1] < min || p[1] > max) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }

    return n;
}


static void
gw_metrics_value(gw_metrics_out_t *out, gw_metric_type_e type, uint64_t value)
{
    int   n;
    char  buf[GW_METRICS_NUMBER];

    if (type == GW_METRIC_USEC || type == GW_METRIC_TIME) {
        n = snprintf(buf, sizeof(buf), "%llu.%06u",
                     (unsigned long long) (value / 1000000),
                     (unsigned) (value % 1000000));

    } else {
        n = snprintf(buf, sizeof(buf), "%llu", (unsigned long long) value);
    }

    gw_metrics_put(out, buf, n);
}
