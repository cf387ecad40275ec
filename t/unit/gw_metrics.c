
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "gw_metrics.h"
#include "tap.h"


static const gw_metric_desc_t  requests = {
    "gw_test_requests_total", "Requests by result.", GW_METRIC_COUNTER
};

static const gw_metric_desc_t  inflight = {
    "gw_test_inflight", "Commands in flight.", GW_METRIC_GAUGE
};

static const gw_metric_desc_t  lag = {
    "gw_test_lag_seconds", "Age of the oldest.", GW_METRIC_USEC
};

static const gw_metric_desc_t  took = {
    "gw_test_seconds_sum", "Time of all.", GW_METRIC_TIME
};


static unsigned char *document(gw_metrics_format_e format,
    const gw_metric_sample_t *samples, size_t n, const gw_metric_desc_t *desc);
static void label(gw_metric_sample_t *sample, const char *name,
    const char *value, size_t len);
static void test_prometheus(void);
static void test_json(void);
static void test_labels(void);


int
main(void)
{
    test_prometheus();
    test_json();
    test_labels();

    return done();
}


/* one family; the second pass must write what the first one counted */

static unsigned char *
document(gw_metrics_format_e format, const gw_metric_sample_t *samples,
    size_t n, const gw_metric_desc_t *desc)
{
    size_t          len, written;
    unsigned char  *p;

    len = gw_metrics_begin(NULL, format);
    len += gw_metrics_family(NULL, format, 1, desc, samples, n);
    len += gw_metrics_end(NULL, format);

    p = malloc(len + 1);
    if (p == NULL) {
        abort();
    }

    written = gw_metrics_begin(p, format);
    written += gw_metrics_family(p + written, format, 1, desc, samples, n);
    written += gw_metrics_end(p + written, format);
    p[written] = '\0';

    if (written != len) {
        ok(0, "the length was foretold: %zu, written: %zu", len, written);
    }

    return p;
}


static void
label(gw_metric_sample_t *sample, const char *name, const char *value,
    size_t len)
{
    gw_metric_label_t  *l;

    l = &sample->labels[sample->nlabels++];
    l->name = name;
    l->data = (const unsigned char *) value;
    l->len = len;
}


static void
test_prometheus(void)
{
    unsigned char       *p;
    gw_metric_sample_t   samples[2];

    memset(samples, 0, sizeof(samples));
    samples[0].value = 7;
    label(&samples[0], "policy", "ip", 2);
    label(&samples[0], "result", "passed", 6);
    samples[1].value = UINT64_MAX;
    label(&samples[1], "policy", "ip", 2);

    p = document(GW_METRICS_PROMETHEUS, samples, 2, &requests);
    ok(strcmp((char *) p,
              "# HELP gw_test_requests_total Requests by result.\n"
              "# TYPE gw_test_requests_total counter\n"
              "gw_test_requests_total{policy=\"ip\",result=\"passed\"} 7\n"
              "gw_test_requests_total{policy=\"ip\"} "
              "18446744073709551615\n")
       == 0, "counter with labels: text");
    free(p);

    memset(samples, 0, sizeof(samples));
    samples[0].value = 3;
    p = document(GW_METRICS_PROMETHEUS, samples, 1, &inflight);
    ok(strcmp((char *) p, "# HELP gw_test_inflight Commands in flight.\n"
                          "# TYPE gw_test_inflight gauge\n"
                          "gw_test_inflight 3\n") == 0,
       "gauge without labels: text");
    free(p);

    samples[0].value = 1000001;
    p = document(GW_METRICS_PROMETHEUS, samples, 1, &lag);
    ok(strstr((char *) p, "\ngw_test_lag_seconds 1.000001\n") != NULL,
       "microseconds are shown as seconds");
    free(p);

    samples[0].value = UINT64_MAX;
    p = document(GW_METRICS_PROMETHEUS, samples, 1, &lag);
    ok(strstr((char *) p, " 18446744073709.551615\n") != NULL,
       "the greatest number of microseconds");
    free(p);

    samples[0].value = 1500000;
    p = document(GW_METRICS_PROMETHEUS, samples, 1, &took);
    ok(strcmp((char *) p, "# HELP gw_test_seconds_sum Time of all.\n"
                          "# TYPE gw_test_seconds_sum counter\n"
                          "gw_test_seconds_sum 1.500000\n") == 0,
       "a counter of microseconds");
    free(p);
}


static void
test_json(void)
{
    json_t              *doc, *list;
    unsigned char       *p;
    gw_metric_sample_t   samples[2];

    memset(samples, 0, sizeof(samples));
    samples[0].value = 7;
    label(&samples[0], "policy", "a\"\\b", 4);
    samples[1].value = 8;

    p = document(GW_METRICS_JSON, samples, 2, &requests);
    doc = json_loads((char *) p, JSON_REJECT_DUPLICATES, NULL);
    ok(doc != NULL, "the JSON document parses");

    list = json_object_get(doc, "gw_test_requests_total");
    ok(json_array_size(list) == 2, "two samples");
    ok(json_integer_value(json_object_get(json_array_get(list, 0), "value"))
       == 7, "the value of the first");

    {
        const char  *text;

        text = json_string_value(json_object_get(json_array_get(list, 0),
                                                 "policy"));
        ok(text && strcmp(text, "a\"\\b") == 0, "its label, escaped");
    }

    json_decref(doc);
    free(p);

    p = document(GW_METRICS_JSON, samples, 0, &requests);
    ok(strcmp((char *) p, "{\"gw_test_requests_total\":[]}\n") == 0,
       "a family without samples");
    free(p);
}


/* a label may be any bytes; neither format may break */

static void
test_labels(void)
{
    size_t               i;
    char                 want[64];
    json_t              *doc;
    unsigned char       *p;
    gw_metric_sample_t   sample;

    static const struct {
        const char  *input;
        size_t       ilen;
        const char  *output;
    } table[] = {
        { "a\nb", 3, "a?b" },
        { "a\0b", 3, "a?b" },
        { "\x7f", 1, "?" },
        { "\"", 1, "\\\"" },
        { "\\", 1, "\\\\" },
        { "\xc3\xa9", 2, "\xc3\xa9" },
        { "\xc0\x80", 2, "??" },
        { "\xed\xa0\x80", 3, "???" },
        { "\xe2\x82", 2, "??" },
        { "\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80" },
        { "\xf4\x90\x80\x80", 4, "????" },
        { "\xff", 1, "?" },
        { "", 0, "" }
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        memset(&sample, 0, sizeof(sample));
        label(&sample, "k", table[i].input, table[i].ilen);

        p = document(GW_METRICS_PROMETHEUS, &sample, 1, &inflight);
        snprintf(want, sizeof(want), "{k=\"%s\"} 0\n", table[i].output);
        ok(strstr((char *) p, want) != NULL, "label %zu in text", i);
        free(p);

        p = document(GW_METRICS_JSON, &sample, 1, &inflight);
        doc = json_loads((char *) p, 0, NULL);
        ok(doc != NULL, "label %zu in JSON", i);
        json_decref(doc);
        free(p);
    }
}
