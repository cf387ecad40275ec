
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What the gw_apikey*.c files share; nobody else includes it.
 */


#ifndef GW_APIKEY_TABLE_H
#define GW_APIKEY_TABLE_H


#include "gw_apikey.h"


/*
 * Parses one line that is neither empty nor a comment.
 *
 *     line  is written to; the key points into it and must not outlive it
 *     key   out: zeroed by the caller; key->meta has to be freed, also after
 *           an error
 *     text  out: on failure
 *
 * Returns GW_OK, or GW_DECLINED or GW_ERROR (out of memory) with text set.
 */
gw_status_e gw_apikey_parse_line(gw_apikey_t *key, char *line, size_t len,
    const char **text);

/*
 * Parses a date, in seconds since the epoch or as in RFC 3339.
 *
 * Returns GW_OK, or GW_DECLINED with text set.
 */
gw_status_e gw_apikey_parse_date(int64_t *date,
    const gw_apikey_text_t *value, const char **text);


#endif /* GW_APIKEY_TABLE_H */
