
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What all of lib/ shares.  lib/ is plain C: it knows neither nginx nor a
 * clock, never logs and keeps no state of its own.
 */


#ifndef GW_H
#define GW_H


#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>


/*
 * The three answers, never mixed: yes, no by rule, could not tell.
 * GW_AGAIN: more input is needed (incremental parsers only).
 * The values are those of NGX_OK, NGX_DECLINED, NGX_ERROR and NGX_AGAIN.
 */

typedef enum {
    GW_OK = 0,
    GW_ERROR = -1,
    GW_AGAIN = -2,
    GW_DECLINED = -5
} gw_status_e;


#endif /* GW_H */
