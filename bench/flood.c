
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * bench/run sends tokens with this that nobody has seen before: reads a
 * secret of HS256, or makes up signatures of ES384.
 *
 *     flood PORT PATH COUNT RATE HS256 SECRET-FILE
 *     flood PORT PATH COUNT RATE ES384
 *
 * RATE is in requests a second, 0 for as many as possible.  At the end, or on
 * SIGTERM, prints how many answers there were of each status: "200 16 401 5".
 */


#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>


/* requests sent before their answers are read */
#define FLOOD_BATCH  16

#define FLOOD_ES384  96            /* bytes of a signature */
#define FLOOD_LIFE   86400         /* seconds that a token is good for */


static unsigned char  secret[256];
static size_t         secret_len;
static long           statuses[600];

static volatile sig_atomic_t  stopped;


static void
stop(int signo)
{
    (void) signo;

    stopped = 1;
}


static size_t
encode(char *out, const unsigned char *data, size_t len)
{
    char    *p;
    size_t   n;

    n = (size_t) EVP_EncodeBlock((unsigned char *) out, data, (int) len);

    while (n > 0 && out[n - 1] == '=') {
        n--;
    }

    for (p = out; p < out + n; p++) {
        if (*p == '+') {
            *p = '-';

        } else if (*p == '/') {
            *p = '_';
        }
    }

    return n;
}


static size_t
token(char *out, const char *alg, long n)
{
    char            header[64], claims[256];
    size_t          len;
    unsigned        siglen;
    unsigned char   sig[EVP_MAX_MD_SIZE + FLOOD_ES384];

    snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"bench\"}",
             alg);
    snprintf(claims, sizeof(claims),
             "{\"iss\":\"bench\",\"sub\":\"user-%ld\",\"aud\":\"bench\","
             "\"exp\":%ld,\"jti\":\"%ld\"}",
             n, (long) time(NULL) + FLOOD_LIFE, n);

    len = encode(out, (unsigned char *) header, strlen(header));
    out[len++] = '.';
    len += encode(out + len, (unsigned char *) claims, strlen(claims));

    if (secret_len) {
        HMAC(EVP_sha256(), secret, (int) secret_len, (unsigned char *) out,
             len, sig, &siglen);

    } else {
        siglen = FLOOD_ES384;
        RAND_bytes(sig, FLOOD_ES384);

        /* below the order of the curve, or it would not cost anything */
        sig[0] = 1;
        sig[FLOOD_ES384 / 2] = 1;
    }

    out[len++] = '.';

    return len + encode(out + len, sig, siglen);
}


/* reads n answers */

static void
answers(int fd, int n)
{
    char            *head, *length;
    size_t           rest;
    ssize_t          got;
    static char      buf[65536];
    static size_t    have;

    while (n) {
        buf[have] = '\0';
        head = strstr(buf, "\r\n\r\n");

        if (head) {
            length = strstr(buf, "Content-Length: ");
            rest = (length && length < head) ? (size_t) atol(length + 16) : 0;
            rest += (size_t) (head - buf) + 4;

            if (rest <= have) {
                statuses[atoi(buf + 9) % 600]++;
                have -= rest;
                memmove(buf, buf + rest, have);
                n--;
                continue;
            }
        }

        got = read(fd, buf + have, sizeof(buf) - 1 - have);

        if (got <= 0) {
            fprintf(stderr, "flood: the connection was closed\n");
            exit(1);
        }

        have += (size_t) got;
    }
}


static double
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


int
main(int argc, char **argv)
{
    int                  fd, i, batch;
    FILE                *f;
    long                 n, count;
    char                *p, out[FLOOD_BATCH * 1024];
    double               start, rate, wait;
    struct sockaddr_in   sin;

    if (argc < 6) {
        fprintf(stderr, "usage: flood PORT PATH COUNT RATE ALG [SECRET]\n");
        return 2;
    }

    if (argc > 6) {
        f = fopen(argv[6], "r");
        secret_len = f ? fread(secret, 1, sizeof(secret), f) : 0;
        if (secret_len == 0) {
            fprintf(stderr, "%s: no secret\n", argv[6]);
            return 1;
        }
    }

    count = atol(argv[3]);
    rate = atof(argv[4]);

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons((unsigned short) atoi(argv[1]));
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd == -1 || connect(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1) {
        perror("flood: connect");
        return 1;
    }

    signal(SIGTERM, stop);

    start = now();

    for (n = 0; n < count && !stopped; n += batch) {

        batch = rate > 0 ? 1 : FLOOD_BATCH;
        wait = rate > 0 ? start + (double) n / rate - now() : 0;

        if (wait > 0) {
            usleep((useconds_t) (wait * 1e6));
        }

        for (i = 0, p = out; i < batch; i++) {
            p += sprintf(p, "GET %s HTTP/1.1\r\nHost: bench\r\n"
                            "Authorization: Bearer ", argv[2]);
            p += token(p, argv[5], n + i);
            p += sprintf(p, "\r\n\r\n");
        }

        if (write(fd, out, (size_t) (p - out)) != p - out) {
            perror("flood: write");
            return 1;
        }

        answers(fd, batch);
    }

    for (i = 0; i < 600; i++) {
        if (statuses[i]) {
            printf("%d %ld ", i, statuses[i]);
        }
    }

    printf("in %.1f s\n", now() - start);

    return 0;
}
