
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * An HTTP/3 client on one connection that is told what to do by its standard
 * input, a command a line, and says on its standard output what came:
 *
 *     request METHOD PATH BODY [NAME=VALUE ...]
 *         BODY is - for none, text, or "..." for one that never ends;
 *         a space in a value is written as a tab
 *     stop N     STOP_SENDING only: no more of the answer is wanted
 *     reset N    RESET_STREAM only: no more of the request will come
 *     cancel N   both
 *     close      CONNECTION_CLOSE; the end of the input as well
 *
 *     connected
 *     header N NAME VALUE     trailer N NAME VALUE     data N HEX
 *     end N                   closed N CODE            failed TEXT
 *
 * Streams are numbered as they are in QUIC: 0, 4, 8, ...  The server's
 * certificate is not verified.
 *
 *     http3-client PORT
 */


#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <nghttp3/nghttp3.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>


#define H3_PRIORITY                                                           \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:"                 \
    "-GROUP-ALL:+GROUP-SECP256R1:+GROUP-X25519:%DISABLE_TLS13_COMPAT_MODE"

#define H3_LINE              65536
#define H3_FIELDS            64

/* H3_NO_ERROR and H3_REQUEST_CANCELLED of RFC 9114, 8.1 */
#define H3_OK                0x100
#define H3_CANCELLED         0x10c


typedef struct {
    int                      fd;
    struct sockaddr_in       local;
    struct sockaddr_in       remote;

    ngtcp2_conn             *quic;
    nghttp3_conn            *http;
    gnutls_session_t         tls;
    ngtcp2_crypto_conn_ref   ref;

    size_t                   len;
    char                     line[H3_LINE];
} client_t;


/* a body that is sent; freed with the process */

typedef struct {
    uint8_t                 *data;
    size_t                   len;
    int                      endless;
} body_t;


static void
fail(const char *what, const char *why)
{
    printf("failed %s: %s\n", what, why);
    exit(1);
}


static ngtcp2_tstamp
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (ngtcp2_tstamp) ts.tv_sec * NGTCP2_SECONDS + ts.tv_nsec;
}


static void
field(const char *what, int64_t id, nghttp3_rcbuf *name,
    nghttp3_rcbuf *value)
{
    nghttp3_vec  n, v;

    n = nghttp3_rcbuf_get_buf(name);
    v = nghttp3_rcbuf_get_buf(value);

    printf("%s %ld %.*s %.*s\n", what, (long) id, (int) n.len, n.base,
           (int) v.len, v.base);
}


/* callbacks of nghttp3 */


static int
http_header(nghttp3_conn *http, int64_t id, int32_t token,
    nghttp3_rcbuf *name, nghttp3_rcbuf *value, uint8_t flags, void *data,
    void *stream)
{
    field("header", id, name, value);

    return 0;
}


static int
http_trailer(nghttp3_conn *http, int64_t id, int32_t token,
    nghttp3_rcbuf *name, nghttp3_rcbuf *value, uint8_t flags, void *data,
    void *stream)
{
    field("trailer", id, name, value);

    return 0;
}


static void
consumed(client_t *c, int64_t id, size_t n)
{
    ngtcp2_conn_extend_max_stream_offset(c->quic, id, n);
    ngtcp2_conn_extend_max_offset(c->quic, n);
}


static int
http_data(nghttp3_conn *http, int64_t id, const uint8_t *p, size_t len,
    void *data, void *stream)
{
    size_t  i;

    printf("data %ld ", (long) id);

    for (i = 0; i < len; i++) {
        printf("%02x", p[i]);
    }

    printf("\n");

    consumed(data, id, len);

    return 0;
}


static int
http_consumed(nghttp3_conn *http, int64_t id, size_t n, void *data,
    void *stream)
{
    consumed(data, id, n);

    return 0;
}


static int
http_end(nghttp3_conn *http, int64_t id, void *data, void *stream)
{
    printf("end %ld\n", (long) id);

    return 0;
}


static int
http_stop_sending(nghttp3_conn *http, int64_t id, uint64_t code, void *data,
    void *stream)
{
    client_t  *c = data;

    ngtcp2_conn_shutdown_stream_read(c->quic, id, code);

    return 0;
}


static int
http_reset(nghttp3_conn *http, int64_t id, uint64_t code, void *data,
    void *stream)
{
    client_t  *c = data;

    ngtcp2_conn_shutdown_stream_write(c->quic, id, code);

    return 0;
}


static nghttp3_ssize
http_read_body(nghttp3_conn *http, int64_t id, nghttp3_vec *vec, size_t n,
    uint32_t *flags, void *data, void *stream)
{
    body_t  *body = stream;

    if (body->endless) {
        return NGHTTP3_ERR_WOULDBLOCK;
    }

    *flags |= NGHTTP3_DATA_FLAG_EOF;
    vec[0].base = body->data;
    vec[0].len = body->len;

    return 1;
}


static void
http_start(client_t *c)
{
    int64_t            control, encoder, decoder;
    nghttp3_settings   settings;
    nghttp3_callbacks  callbacks;

    memset(&callbacks, 0, sizeof(nghttp3_callbacks));

    callbacks.recv_header = http_header;
    callbacks.recv_trailer = http_trailer;
    callbacks.recv_data = http_data;
    callbacks.deferred_consume = http_consumed;
    callbacks.end_stream = http_end;
    callbacks.stop_sending = http_stop_sending;
    callbacks.reset_stream = http_reset;

    nghttp3_settings_default(&settings);

    if (nghttp3_conn_client_new(&c->http, &callbacks, &settings,
                                nghttp3_mem_default(), c)
        || ngtcp2_conn_open_uni_stream(c->quic, &control, NULL)
        || ngtcp2_conn_open_uni_stream(c->quic, &encoder, NULL)
        || ngtcp2_conn_open_uni_stream(c->quic, &decoder, NULL)
        || nghttp3_conn_bind_control_stream(c->http, control)
        || nghttp3_conn_bind_qpack_streams(c->http, encoder, decoder))
    {
        fail("HTTP/3", "it does not start");
    }
}


/* callbacks of ngtcp2 */


static ngtcp2_conn *
quic_conn(ngtcp2_crypto_conn_ref *ref)
{
    client_t  *c = ref->user_data;

    return c->quic;
}


static void
quic_rand(uint8_t *p, size_t len, const ngtcp2_rand_ctx *ctx)
{
    gnutls_rnd(GNUTLS_RND_NONCE, p, len);
}


static int
quic_new_id(ngtcp2_conn *quic, ngtcp2_cid *cid, uint8_t *token, size_t len,
    void *data)
{
    cid->datalen = len;
    gnutls_rnd(GNUTLS_RND_NONCE, cid->data, len);
    gnutls_rnd(GNUTLS_RND_NONCE, token, NGTCP2_STATELESS_RESET_TOKENLEN);

    return 0;
}


static int
quic_handshake_completed(ngtcp2_conn *quic, void *data)
{
    http_start(data);
    printf("connected\n");

    return 0;
}


static int
quic_recv(ngtcp2_conn *quic, uint32_t flags, int64_t id, uint64_t offset,
    const uint8_t *p, size_t len, void *data, void *stream)
{
    client_t       *c = data;
    nghttp3_ssize   n;

    n = nghttp3_conn_read_stream(c->http, id, p, len,
                                 flags & NGTCP2_STREAM_DATA_FLAG_FIN);
    if (n < 0) {
        fail("HTTP/3", nghttp3_strerror(n));
    }

    consumed(c, id, n);

    return 0;
}


static int
quic_acked(ngtcp2_conn *quic, int64_t id, uint64_t offset, uint64_t len,
    void *data, void *stream)
{
    client_t  *c = data;

    nghttp3_conn_add_ack_offset(c->http, id, len);

    return 0;
}


static int
quic_stream_close(ngtcp2_conn *quic, uint32_t flags, int64_t id,
    uint64_t code, void *data, void *stream)
{
    client_t  *c = data;

    if (!(flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET)) {
        code = H3_OK;
    }

    if (ngtcp2_is_bidi_stream(id)) {
        printf("closed %ld 0x%lx\n", (long) id, (unsigned long) code);
    }

    nghttp3_conn_close_stream(c->http, id, code);

    return 0;
}


static int
quic_stream_reset(ngtcp2_conn *quic, int64_t id, uint64_t final_size,
    uint64_t code, void *data, void *stream)
{
    client_t  *c = data;

    nghttp3_conn_shutdown_stream_read(c->http, id);

    return 0;
}


static void
quic_start(client_t *c)
{
    ngtcp2_cid                        source, destination;
    ngtcp2_path                       path;
    ngtcp2_settings                   settings;
    ngtcp2_callbacks                  callbacks;
    ngtcp2_transport_params           params;
    gnutls_datum_t                    alpn = { (unsigned char *) "h3", 2 };
    gnutls_certificate_credentials_t  credentials;

    gnutls_certificate_allocate_credentials(&credentials);

    if (gnutls_init(&c->tls, GNUTLS_CLIENT)
        || ngtcp2_crypto_gnutls_configure_client_session(c->tls)
        || gnutls_priority_set_direct(c->tls, H3_PRIORITY, NULL)
        || gnutls_alpn_set_protocols(c->tls, &alpn, 1, 0)
        || gnutls_server_name_set(c->tls, GNUTLS_NAME_DNS, "localhost",
                                  sizeof("localhost") - 1)
        || gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE,
                                  credentials))
    {
        fail("TLS", "it does not start");
    }

    c->ref.get_conn = quic_conn;
    c->ref.user_data = c;
    gnutls_session_set_ptr(c->tls, &c->ref);

    memset(&callbacks, 0, sizeof(ngtcp2_callbacks));

    callbacks.client_initial = ngtcp2_crypto_client_initial_cb;
    callbacks.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
    callbacks.encrypt = ngtcp2_crypto_encrypt_cb;
    callbacks.decrypt = ngtcp2_crypto_decrypt_cb;
    callbacks.hp_mask = ngtcp2_crypto_hp_mask_cb;
    callbacks.recv_retry = ngtcp2_crypto_recv_retry_cb;
    callbacks.update_key = ngtcp2_crypto_update_key_cb;
    callbacks.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
    callbacks.delete_crypto_cipher_ctx =
                                     ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
    callbacks.get_path_challenge_data =
                                     ngtcp2_crypto_get_path_challenge_data_cb;
    callbacks.version_negotiation = ngtcp2_crypto_version_negotiation_cb;

    callbacks.rand = quic_rand;
    callbacks.get_new_connection_id = quic_new_id;
    callbacks.handshake_completed = quic_handshake_completed;
    callbacks.recv_stream_data = quic_recv;
    callbacks.acked_stream_data_offset = quic_acked;
    callbacks.stream_close = quic_stream_close;
    callbacks.stream_reset = quic_stream_reset;

    ngtcp2_settings_default(&settings);
    settings.initial_ts = now();

    ngtcp2_transport_params_default(&params);
    params.initial_max_streams_uni = 3;
    params.initial_max_stream_data_bidi_local = 1024 * 1024;
    params.initial_max_stream_data_uni = 256 * 1024;
    params.initial_max_data = 16 * 1024 * 1024;
    params.max_idle_timeout = 60 * NGTCP2_SECONDS;

    source.datalen = 17;
    gnutls_rnd(GNUTLS_RND_RANDOM, source.data, source.datalen);
    destination.datalen = 18;
    gnutls_rnd(GNUTLS_RND_RANDOM, destination.data, destination.datalen);

    memset(&path, 0, sizeof(ngtcp2_path));
    path.local.addr = (struct sockaddr *) &c->local;
    path.local.addrlen = sizeof(struct sockaddr_in);
    path.remote.addr = (struct sockaddr *) &c->remote;
    path.remote.addrlen = sizeof(struct sockaddr_in);

    if (ngtcp2_conn_client_new(&c->quic, &destination, &source, &path,
                               NGTCP2_PROTO_VER_V1, &callbacks, &settings,
                               &params, NULL, c))
    {
        fail("QUIC", "it does not start");
    }

    ngtcp2_conn_set_tls_native_handle(c->quic, c->tls);
}


/* the socket */


static void
quic_connect(client_t *c, int port)
{
    socklen_t  len;

    c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    c->remote.sin_family = AF_INET;
    c->remote.sin_port = htons(port);
    c->remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    len = sizeof(struct sockaddr_in);

    if (c->fd == -1
        || connect(c->fd, (struct sockaddr *) &c->remote, len) == -1
        || getsockname(c->fd, (struct sockaddr *) &c->local, &len) == -1)
    {
        fail("socket", strerror(errno));
    }
}


static void
quic_read(client_t *c)
{
    int              rc;
    ssize_t          n;
    uint8_t          buf[65536];
    ngtcp2_path      path;
    ngtcp2_pkt_info  info;

    memset(&info, 0, sizeof(ngtcp2_pkt_info));
    memset(&path, 0, sizeof(ngtcp2_path));
    path.local.addr = (struct sockaddr *) &c->local;
    path.local.addrlen = sizeof(struct sockaddr_in);
    path.remote.addr = (struct sockaddr *) &c->remote;
    path.remote.addrlen = sizeof(struct sockaddr_in);

    for ( ;; ) {
        n = recv(c->fd, buf, sizeof(buf), 0);

        if (n == -1) {

            if (errno != EAGAIN && errno != EINTR) {
                fail("recv", strerror(errno));
            }

            return;
        }

        rc = ngtcp2_conn_read_pkt(c->quic, &path, &info, buf, n, now());

        if (rc != 0) {
            fail("QUIC", ngtcp2_strerror(rc));
        }
    }
}


static void
quic_write(client_t *c)
{
    int                  fin;
    int64_t              id;
    uint8_t              buf[1452];
    uint32_t             flags;
    nghttp3_vec          vec[16];
    nghttp3_ssize        nvec;
    ngtcp2_ssize         n, sent;
    ngtcp2_pkt_info      info;
    ngtcp2_path_storage  path;

    ngtcp2_path_storage_zero(&path);

    for ( ;; ) {
        id = -1;
        fin = 0;
        nvec = 0;

        if (c->http && ngtcp2_conn_get_max_data_left(c->quic)) {
            nvec = nghttp3_conn_writev_stream(c->http, &id, &fin, vec, 16);

            if (nvec < 0) {
                fail("HTTP/3", nghttp3_strerror(nvec));
            }
        }

        flags = NGTCP2_WRITE_STREAM_FLAG_MORE;

        if (fin) {
            flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
        }

        n = ngtcp2_conn_writev_stream(c->quic, &path.path, &info, buf,
                                      sizeof(buf), &sent, flags, id,
                                      (ngtcp2_vec *) vec, nvec, now());

        if (n == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
            nghttp3_conn_block_stream(c->http, id);
            continue;
        }

        if (n == NGTCP2_ERR_STREAM_SHUT_WR
            || n == NGTCP2_ERR_STREAM_NOT_FOUND)
        {
            nghttp3_conn_shutdown_stream_write(c->http, id);
            continue;
        }

        if (n == NGTCP2_ERR_WRITE_MORE) {
            nghttp3_conn_add_write_offset(c->http, id, sent);
            continue;
        }

        if (n < 0) {
            fail("QUIC", ngtcp2_strerror(n));
        }

        if (id != -1 && sent >= 0) {
            nghttp3_conn_add_write_offset(c->http, id, sent);
        }

        if (n == 0) {
            ngtcp2_conn_update_pkt_tx_time(c->quic, now());
            return;
        }

        if (send(c->fd, buf, n, 0) == -1 && errno != EAGAIN) {
            fail("send", strerror(errno));
        }
    }
}


static void
quic_close(client_t *c)
{
    uint8_t                        buf[1452];
    ngtcp2_ssize                   n;
    ngtcp2_pkt_info                info;
    ngtcp2_path_storage            path;
    ngtcp2_connection_close_error  error;

    ngtcp2_path_storage_zero(&path);
    ngtcp2_connection_close_error_default(&error);
    ngtcp2_connection_close_error_set_application_error(&error, H3_OK, NULL,
                                                        0);

    n = ngtcp2_conn_write_connection_close(c->quic, &path.path, &info, buf,
                                           sizeof(buf), &error, now());
    if (n > 0) {
        (void) !send(c->fd, buf, n, 0);
    }

    exit(0);
}


/* commands */


static void
add_field(nghttp3_nv *fields, size_t *n, const char *name, const char *value)
{
    nghttp3_nv  *nv;

    if (*n == H3_FIELDS) {
        fail("request", "too many fields");
    }

    nv = &fields[(*n)++];

    nv->name = (uint8_t *) name;
    nv->namelen = strlen(name);
    nv->value = (uint8_t *) value;
    nv->valuelen = strlen(value);
    nv->flags = NGHTTP3_NV_FLAG_NONE;
}


static void
command_request(client_t *c, char *line)
{
    char                 *method, *path, *text, *name, *value, *p;
    body_t               *body;
    size_t                n;
    int64_t               id;
    nghttp3_nv            fields[H3_FIELDS];
    nghttp3_data_reader   reader = { http_read_body };

    n = 0;
    method = strtok(line, " ");
    path = strtok(NULL, " ");
    text = strtok(NULL, " ");

    if (text == NULL) {
        fail("request", "METHOD PATH BODY");
    }

    add_field(fields, &n, ":method", method);
    add_field(fields, &n, ":scheme", "https");
    add_field(fields, &n, ":authority", "localhost");
    add_field(fields, &n, ":path", path);

    for (name = strtok(NULL, " "); name; name = strtok(NULL, " ")) {

        value = strchr(name, '=');

        if (value == NULL) {
            fail("request", "NAME=VALUE");
        }

        *value++ = '\0';

        for (p = value; *p; p++) {
            if (*p == '\t') {
                *p = ' ';
            }
        }

        add_field(fields, &n, name, value);
    }

    body = calloc(1, sizeof(body_t));
    if (body == NULL) {
        fail("request", "no memory");
    }

    body->data = (uint8_t *) strdup(text);
    body->len = strlen(text);
    body->endless = (strcmp(text, "...") == 0);

    if (ngtcp2_conn_open_bidi_stream(c->quic, &id, body)) {
        fail("request", "no more streams");
    }

    if (nghttp3_conn_submit_request(c->http, id, fields, n,
                                    strcmp(text, "-") ? &reader : NULL, body))
    {
        fail("request", "not submitted");
    }
}


static void
command(client_t *c, char *line)
{
    int64_t  id;

    if (strncmp(line, "request ", 8) == 0) {
        command_request(c, line + 8);

    } else if (strncmp(line, "stop ", 5) == 0) {
        id = atol(line + 5);
        nghttp3_conn_shutdown_stream_read(c->http, id);
        ngtcp2_conn_shutdown_stream_read(c->quic, id, H3_CANCELLED);

    } else if (strncmp(line, "reset ", 6) == 0) {
        id = atol(line + 6);
        nghttp3_conn_shutdown_stream_write(c->http, id);
        ngtcp2_conn_shutdown_stream_write(c->quic, id, H3_CANCELLED);

    } else if (strncmp(line, "cancel ", 7) == 0) {
        id = atol(line + 7);
        nghttp3_conn_shutdown_stream_read(c->http, id);
        nghttp3_conn_shutdown_stream_write(c->http, id);
        ngtcp2_conn_shutdown_stream(c->quic, id, H3_CANCELLED);

    } else if (strcmp(line, "close") == 0) {
        quic_close(c);

    } else {
        fail("command", line);
    }
}


static void
read_commands(client_t *c)
{
    char     *end;
    size_t    len;
    ssize_t   n;

    n = read(0, c->line + c->len, H3_LINE - c->len);

    if (n <= 0) {
        quic_close(c);
    }

    c->len += n;

    for ( ;; ) {
        end = memchr(c->line, '\n', c->len);

        if (end == NULL) {
            return;
        }

        *end++ = '\0';
        len = end - c->line;
        command(c, c->line);
        c->len -= len;
        memmove(c->line, end, c->len);
    }
}


int
main(int argc, char **argv)
{
    int             rc, timeout;
    client_t       *c;
    ngtcp2_tstamp   expiry, t;
    struct pollfd   fds[2];

    c = calloc(1, sizeof(client_t));

    if (argc != 2 || c == NULL) {
        fail("usage", "http3-client PORT");
    }

    setvbuf(stdout, NULL, _IOFBF, 65536);

    quic_connect(c, atoi(argv[1]));
    quic_start(c);

    for ( ;; ) {
        quic_write(c);
        fflush(stdout);

        expiry = ngtcp2_conn_get_expiry(c->quic);
        t = now();
        timeout = 1000;

        if (expiry <= t) {
            timeout = 0;

        } else if (expiry - t < (ngtcp2_tstamp) timeout * 1000000) {
            timeout = (expiry - t) / 1000000 + 1;
        }

        fds[0].fd = c->fd;
        fds[0].events = POLLIN;
        fds[1].fd = c->http ? 0 : -1;
        fds[1].events = POLLIN;
        fds[1].revents = 0;

        if (poll(fds, 2, timeout) == -1 && errno != EINTR) {
            fail("poll", strerror(errno));
        }

        quic_read(c);

        if (ngtcp2_conn_get_expiry(c->quic) <= now()) {
            rc = ngtcp2_conn_handle_expiry(c->quic, now());

            if (rc != 0) {
                fail("QUIC", ngtcp2_strerror(rc));
            }
        }

        if (fds[1].revents) {
            read_commands(c);
        }
    }
}
