
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The states of the scanner.  Private to lib/.
 */


#ifndef GW_JSON_STATE_H
#define GW_JSON_STATE_H


/* between tokens: the rows of gw_json_scan_actions */

#define ST_START        0       /* nothing read */
#define ST_TOP          1       /* the value of the document comes */
#define ST_VALUE        2
#define ST_FIRST_VALUE  3       /* or the end of the array */
#define ST_KEY          4
#define ST_FIRST_KEY    5       /* or the end of the object */
#define ST_COLON        6
#define ST_ELEMENT      7       /* an element was read */
#define ST_MEMBER       8
#define ST_END          9       /* the document was read, just now */
#define ST_DONE         10      /* and white space behind it */

/* inside a token */

#define ST_BOM          11
#define ST_LITERAL      12
#define ST_STRING       13
#define ST_ESCAPE       14
#define ST_HEX          15
#define ST_UTF8         16
#define ST_MINUS        17
#define ST_ZERO         18
#define ST_INT          19
#define ST_POINT        20
#define ST_FRACTION     21
#define ST_E            22
#define ST_E_SIGN       23
#define ST_EXPONENT     24

#define ST_ERROR        25


#endif /* GW_JSON_STATE_H */
