
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Reasons that only a gateway can have, beside those of gw_reason.h.  Their
 * numbers are places of counters in shared memory.
 */


#ifndef NGX_HTTP_GW_AUTH_REASON_H
#define NGX_HTTP_GW_AUTH_REASON_H


#include <ngx_config.h>
#include <ngx_core.h>

#include "gw_reason.h"


#define NGX_HTTP_GW_AUTH_MISSING  GW_REASON_MAX          /* no credential */
#define NGX_HTTP_GW_AUTH_TWICE    (GW_REASON_MAX + 1)    /* more than one */
#define NGX_HTTP_GW_AUTH_CIDR     (GW_REASON_MAX + 2)    /* other address */
#define NGX_HTTP_GW_AUTH_REASONS  (GW_REASON_MAX + 3)


/*
 * Returns the stable code of a reason, zero-terminated; "-" for
 * GW_REASON_NONE.
 */

const char *ngx_http_gw_auth_reason_text(ngx_uint_t reason);


#endif /* NGX_HTTP_GW_AUTH_REASON_H */
