
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What bytes may be in an escape.  Private to lib/.
 */


#ifndef GW_JSON_BYTES_H
#define GW_JSON_BYTES_H


#include "gw_json_vector.h"


#define GW_JSON_ESCAPE_ROOM  6      /* bytes of the longest escape */

#define IS_HEX          1
#define IS_ESCAPE       2

static const uint8_t  gw_json_scan_bytes[256] = {
    ['0'] = IS_HEX, ['1'] = IS_HEX, ['2'] = IS_HEX, ['3'] = IS_HEX,
    ['4'] = IS_HEX, ['5'] = IS_HEX, ['6'] = IS_HEX, ['7'] = IS_HEX,
    ['8'] = IS_HEX, ['9'] = IS_HEX, ['A'] = IS_HEX, ['B'] = IS_HEX,
    ['C'] = IS_HEX, ['D'] = IS_HEX, ['E'] = IS_HEX, ['F'] = IS_HEX,
    ['a'] = IS_HEX, ['b'] = IS_HEX | IS_ESCAPE, ['c'] = IS_HEX,
    ['d'] = IS_HEX, ['e'] = IS_HEX, ['f'] = IS_HEX | IS_ESCAPE,
    ['n'] = IS_ESCAPE, ['r'] = IS_ESCAPE, ['t'] = IS_ESCAPE,
    ['"'] = IS_ESCAPE, ['\\'] = IS_ESCAPE, ['/'] = IS_ESCAPE
};


/* of the escape at p, whose room can be read; 0 when it is none */

gw_json_inline size_t
gw_json_escape_size(const u_char *p)
{
    if (gw_json_scan_bytes[p[1]] & IS_ESCAPE) {
        return 2;
    }

    return p[1] == 'u' && (gw_json_scan_bytes[p[2]] & gw_json_scan_bytes[p[3]]
                           & gw_json_scan_bytes[p[4]]
                           & gw_json_scan_bytes[p[5]] & IS_HEX)
           ? 6 : 0;
}


#endif /* GW_JSON_BYTES_H */
