
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * TAP for the unit programs: ok(condition, format, ...) prints one line,
 * done() prints the plan and is the value that main() returns.
 */


#ifndef GW_TAP_H
#define GW_TAP_H


#include <stdarg.h>
#include <stdio.h>


static unsigned  tap_count;
static unsigned  tap_failed;


__attribute__((format(printf, 4, 5), unused))
static int
tap_ok(int pass, const char *file, int line, const char *fmt, ...)
{
    va_list  args;

    tap_count++;

    printf("%sok %u - ", pass ? "" : "not ", tap_count);

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    printf("\n");

    if (!pass) {
        tap_failed++;
        printf("#   failed at %s:%d\n", file, line);
    }

    return pass;
}


#define ok(condition, ...)                                                    \
    tap_ok((condition) ? 1 : 0, __FILE__, __LINE__, __VA_ARGS__)


__attribute__((unused))
static int
tap_done(void)
{
    printf("1..%u\n", tap_count);

    return tap_failed ? 1 : 0;
}


#define done()  tap_done()


#endif /* GW_TAP_H */
