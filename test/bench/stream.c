/*
 * A program: both ends of steady UDP streams, up and down, over IPv4 and IPv6. The server sends to wherever the client
 * was last heard from, so that the streams also go on where a client gets other addresses.
 *
 * In C because it must not disturb what it measures: in an emulated machine the same in JavaScript took most of a
 * processor, ahead of everything else.
 *
 * Usage: stream client MS SERVER4 SERVER6 | stream server MS
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* See stream-format.ts. */
enum { STREAM_PORT = 5001, PAYLOAD_SIZE = 16, UP = 0, DOWN = 1 };

enum { STREAMS = 2, NANOSECONDS = 1000000000 };

typedef struct {
    int fd;
    /* Where to send to; of length 0 while that is not known. */
    struct sockaddr_storage peer;
    socklen_t peer_length;
    uint32_t sequence;
} stream_t;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void open_stream(stream_t *stream, int family) {
    const int on = 1;
    struct sockaddr_in own4 = {.sin_family = AF_INET, .sin_port = htons(STREAM_PORT)};
    struct sockaddr_in6 own6 = {.sin6_family = AF_INET6, .sin6_port = htons(STREAM_PORT)};
    const struct sockaddr *own = family == AF_INET ? (struct sockaddr *)&own4 : (struct sockaddr *)&own6;

    memset(stream, 0, sizeof *stream);
    stream->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (stream->fd < 0)
        fail("socket");
    if (family == AF_INET6 && setsockopt(stream->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        fail("IPV6_V6ONLY");
    if (bind(stream->fd, own, family == AF_INET ? sizeof own4 : sizeof own6) != 0)
        fail("bind");
}

static void set_peer(stream_t *stream, int family, const char *address) {
    struct sockaddr_in *peer4 = (struct sockaddr_in *)&stream->peer;
    struct sockaddr_in6 *peer6 = (struct sockaddr_in6 *)&stream->peer;

    stream->peer.ss_family = family;
    if (inet_pton(family, address, family == AF_INET ? (void *)&peer4->sin_addr : (void *)&peer6->sin6_addr) != 1) {
        fprintf(stderr, "not an address: %s\n", address);
        exit(2);
    }
    if (family == AF_INET)
        peer4->sin_port = htons(STREAM_PORT);
    else
        peer6->sin6_port = htons(STREAM_PORT);
    stream->peer_length = family == AF_INET ? sizeof *peer4 : sizeof *peer6;
}

/* Without a carrier or a route sending fails: the packet is lost, as any other. */
static void send_packet(stream_t *stream, uint8_t direction) {
    uint8_t payload[PAYLOAD_SIZE] = {direction};
    struct timespec now;
    double milliseconds;
    uint64_t bits;
    const uint32_t sequence = htobe32(stream->sequence++);

    clock_gettime(CLOCK_REALTIME, &now);
    milliseconds = now.tv_sec * 1e3 + now.tv_nsec / 1e6;
    memcpy(&bits, &milliseconds, sizeof bits);
    bits = htobe64(bits);
    memcpy(payload + 4, &sequence, sizeof sequence);
    memcpy(payload + 8, &bits, sizeof bits);
    (void)sendto(stream->fd, payload, sizeof payload, 0, (struct sockaddr *)&stream->peer, stream->peer_length);
}

/* Takes what has arrived, of which only the sender counts. */
static void drain(stream_t *stream, int follow) {
    uint8_t payload[PAYLOAD_SIZE];
    struct sockaddr_storage from;

    for (;;) {
        socklen_t length = sizeof from;
        if (recvfrom(stream->fd, payload, sizeof payload, 0, (struct sockaddr *)&from, &length) < 0) {
            /* An error that an ICMP message brought is taken, and what waits behind it next. */
            if (errno == EAGAIN)
                return;
        } else if (follow) {
            stream->peer = from;
            stream->peer_length = length;
        }
    }
}

int main(int argc, char **argv) {
    const int is_client = argc == 5 && strcmp(argv[1], "client") == 0;
    const long interval = argc > 2 ? atol(argv[2]) : 0;
    stream_t streams[STREAMS];
    struct timespec next;

    if (interval <= 0 || (!is_client && (argc != 3 || strcmp(argv[1], "server") != 0))) {
        fputs("usage: stream client MS SERVER4 SERVER6 | stream server MS\n", stderr);
        return 2;
    }
    open_stream(&streams[0], AF_INET);
    open_stream(&streams[1], AF_INET6);
    if (is_client) {
        set_peer(&streams[0], AF_INET, argv[3]);
        set_peer(&streams[1], AF_INET6, argv[4]);
    }
    clock_gettime(CLOCK_MONOTONIC, &next);
    /* Keeps to the schedule as far as it is let, and makes up for what it was late. */
    for (;;) {
        for (int i = 0; i < STREAMS; i++) {
            drain(&streams[i], !is_client);
            if (streams[i].peer_length > 0)
                send_packet(&streams[i], is_client ? UP : DOWN);
        }
        next.tv_nsec += interval * (NANOSECONDS / 1000);
        next.tv_sec += next.tv_nsec / NANOSECONDS;
        next.tv_nsec %= NANOSECONDS;
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
            ;
    }
}
