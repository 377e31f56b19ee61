/*
 * The sockets that Node does not offer: AF_PACKET (whole Ethernet frames, packet(7)) and AF_NETLINK (netlink(7)); the
 * options of those that it does; and when the other end of a descriptor goes that is only written to.
 *
 * This file moves bytes and nothing else. Each socket is polled by the event loop; a wake-up takes a bounded batch
 * off the socket and hands it over in one call of
 *
 *     callback(errno, messages, metadata)
 *
 * where errno is 0 and messages an array of Buffers, or errno is positive and both others are undefined. metadata is
 * an Int32Array with META_FIELDS numbers for each frame of a packet socket, undefined for netlink. An error does not
 * close the socket: ENETDOWN passes when the interface comes up again, ENOBUFS (netlink lost messages) asks for a
 * resynchronisation.
 *
 * Exceptions that the callback throws reach the process's 'uncaughtException'. Sockets of a worker thread are closed
 * when its environment goes.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>

#include <node_api.h>
#include <uv.h>

#ifndef SOL_PACKET
#define SOL_PACKET 263
#endif

enum {
    PACKET_SLOTS = 32,
    NETLINK_SLOTS = 8,
    /* Reads of a netlink socket in a turn of the event loop, at most: more than a turn's own requests bring about. */
    NETLINK_ROUNDS = 64,
    MAX_SLOTS = 32,
    /* The kernel fills a dump's datagram up to the receiver's buffer, but never beyond this. */
    NETLINK_SLOT_LENGTH = 32768,
    MAX_SLOT_LENGTH = 65536,
};

/* What metadata says about a frame: sll_pkttype, sll_ifindex, 802.1Q tag control or -1, flags, length on the wire. */
enum { META_TYPE, META_IFINDEX, META_VLAN, META_FLAGS, META_LENGTH, META_FIELDS };
enum { FLAG_CHECKSUM_NOT_READY = 1 };

typedef union {
    struct sockaddr any;
    struct sockaddr_ll packet;
    struct sockaddr_nl netlink;
} address_t;

typedef struct {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
} control_t;

typedef struct {
    uv_poll_t poll;
    napi_env env;
    napi_ref self; /* keeps the JavaScript object while the socket is open */
    napi_ref callback;
    napi_async_context context;
    napi_async_cleanup_hook_handle hook;
    int family;
    int fd; /* -1 once closed */
    unsigned owners; /* the JavaScript object and the uv handle; the last one to go frees the memory */
    unsigned slots;
    size_t slot_length;
    uint8_t *buffer;
} socket_t;

/* Stands for a descriptor of which only the end is waited for: no address family. */
enum { FAMILY_HANGUP = -1 };

static const napi_type_tag SOCKET_TAG = {0x6f1c3b8a92d44e07, 0xa5d2e9704c1b8f36};

static void on_poll(uv_poll_t *poll, int status, int events);

/* --- errors ------------------------------------------------------------------------------------------------- */

/* Throws an Error shaped as Node's own system errors: errno (negative, as uv has it), code, syscall. */
static napi_value throw_errno(napi_env env, int error, const char *syscall) {
    char name[64], text[128], message[256];
    napi_value code, string, object, value;

    uv_err_name_r(-error, name, sizeof name);
    uv_strerror_r(-error, text, sizeof text);
    snprintf(message, sizeof message, "%s: %s (%s)", syscall, text, name);
    if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code) != napi_ok ||
        napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &string) != napi_ok ||
        napi_create_error(env, code, string, &object) != napi_ok)
        return NULL;
    if (napi_create_int32(env, -error, &value) == napi_ok)
        napi_set_named_property(env, object, "errno", value);
    if (napi_create_string_utf8(env, syscall, NAPI_AUTO_LENGTH, &value) == napi_ok)
        napi_set_named_property(env, object, "syscall", value);
    napi_throw(env, object);
    return NULL;
}

static napi_value throw_type(napi_env env, const char *message) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
    return NULL;
}

/* --- life and death ----------------------------------------------------------------------------------------- */

static void socket_release(socket_t *s) {
    if (--s->owners > 0)
        return;
    free(s->buffer);
    free(s);
}

static void on_uv_closed(uv_handle_t *handle) {
    socket_t *s = handle->data;

    if (s->hook != NULL)
        napi_remove_async_cleanup_hook(s->hook);
    socket_release(s);
}

static void socket_close(socket_t *s) {
    if (s->fd < 0)
        return;
    uv_close((uv_handle_t *)&s->poll, on_uv_closed);
    close(s->fd);
    s->fd = -1;
    napi_async_destroy(s->env, s->context);
    napi_delete_reference(s->env, s->callback);
    napi_delete_reference(s->env, s->self);
}

static void on_environment_gone(napi_async_cleanup_hook_handle hook, void *data) {
    socket_t *s = data;

    (void)hook;
    socket_close(s);
}

static void on_collected(napi_env env, void *data, void *hint) {
    (void)env;
    (void)hint;
    socket_release(data);
}

/* Hands a bound descriptor to the event loop and to the JavaScript object. Takes the descriptor over, success or not. */
static napi_value socket_adopt(napi_env env, napi_value self, napi_value callback, int family, int fd, unsigned slots,
                               size_t slot_length) {
    socket_t *s = calloc(1, sizeof *s);
    uint8_t *buffer = malloc(slots * slot_length);
    uv_loop_t *loop = NULL;
    napi_value name;
    int error = EINVAL;

    if (s == NULL || buffer == NULL) {
        free(s);
        free(buffer);
        close(fd);
        return throw_errno(env, ENOMEM, "malloc");
    }
    s->env = env;
    s->family = family;
    s->fd = fd;
    s->slots = slots;
    s->slot_length = slot_length;
    s->buffer = buffer;
    s->poll.data = s;
    if (napi_get_uv_event_loop(env, &loop) != napi_ok || (error = -uv_poll_init(loop, &s->poll, fd)) != 0) {
        free(buffer);
        free(s);
        close(fd);
        return throw_errno(env, error, "uv_poll_init");
    }
    /* From here on the uv handle owns the memory, and closing is the way out. */
    s->owners = 1;
    if (napi_create_string_utf8(env, "roaming:socket", NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_async_init(env, self, name, &s->context) != napi_ok ||
        napi_create_reference(env, callback, 1, &s->callback) != napi_ok ||
        napi_create_reference(env, self, 1, &s->self) != napi_ok ||
        napi_add_async_cleanup_hook(env, on_environment_gone, s, &s->hook) != napi_ok) {
        napi_throw_error(env, NULL, "out of JavaScript resources");
        socket_close(s);
        return NULL;
    }
    if (napi_type_tag_object(env, self, &SOCKET_TAG) != napi_ok ||
        napi_wrap(env, self, s, on_collected, NULL, NULL) != napi_ok) {
        socket_close(s);
        return throw_type(env, "this object is a socket already");
    }
    s->owners = 2;
    /* POLLERR and POLLHUP, which cannot be left out, are all that is wanted of a hangup; uv wants to be asked for something.
     * Not for UV_DISCONNECT: the other end of a socket may write no more and still read. */
    error = uv_poll_start(&s->poll, family == FAMILY_HANGUP ? UV_PRIORITIZED : UV_READABLE, on_poll);
    if (error != 0) {
        socket_close(s);
        return throw_errno(env, -error, "uv_poll_start");
    }
    return self;
}

/* --- receiving ---------------------------------------------------------------------------------------------- */

static void call_back(socket_t *s, int error, napi_value messages, napi_value metadata) {
    napi_value self, callback, exception, argv[3];

    if (napi_get_reference_value(s->env, s->self, &self) != napi_ok ||
        napi_get_reference_value(s->env, s->callback, &callback) != napi_ok ||
        napi_create_int32(s->env, error, &argv[0]) != napi_ok)
        return;
    argv[1] = messages;
    argv[2] = metadata;
    /* The callback may close the socket: nothing below reads anything but the environment. */
    napi_env env = s->env;
    if (napi_make_callback(env, s->context, self, callback, 3, argv, NULL) == napi_pending_exception &&
        napi_get_and_clear_last_exception(env, &exception) == napi_ok)
        napi_fatal_exception(env, exception);
}

static void deliver_error(socket_t *s, int error) {
    napi_value undefined;

    if (napi_get_undefined(s->env, &undefined) == napi_ok)
        call_back(s, error, undefined, undefined);
}

static void describe_frame(const struct msghdr *header, const address_t *from, unsigned length, int32_t *meta) {
    meta[META_TYPE] = from->packet.sll_pkttype;
    meta[META_IFINDEX] = from->packet.sll_ifindex;
    meta[META_VLAN] = -1;
    meta[META_FLAGS] = 0;
    meta[META_LENGTH] = (int32_t)length;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR((struct msghdr *)header, c)) {
        struct tpacket_auxdata aux;

        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA || c->cmsg_len < CMSG_LEN(sizeof aux))
            continue;
        memcpy(&aux, CMSG_DATA(c), sizeof aux);
        if (aux.tp_status & TP_STATUS_CSUMNOTREADY)
            meta[META_FLAGS] |= FLAG_CHECKSUM_NOT_READY;
        if (aux.tp_status & TP_STATUS_VLAN_VALID)
            meta[META_VLAN] = aux.tp_vlan_tci;
    }
}

/* Copies a batch into JavaScript values. Returns how many messages it holds; truncated tells of one cut short. */
static uint32_t copy_batch(socket_t *s, const struct mmsghdr *headers, const address_t *from, int count,
                           napi_value *messages, napi_value *metadata, bool *truncated) {
    const bool packet = s->family == AF_PACKET;
    int32_t *meta = NULL;
    uint32_t kept = 0;
    napi_value memory;

    if (napi_create_array(s->env, messages) != napi_ok || napi_get_undefined(s->env, metadata) != napi_ok)
        return 0;
    if (packet && (napi_create_arraybuffer(s->env, (size_t)count * META_FIELDS * sizeof *meta, (void **)&meta,
                                           &memory) != napi_ok ||
                   napi_create_typedarray(s->env, napi_int32_array, (size_t)count * META_FIELDS, memory, 0,
                                          metadata) != napi_ok))
        return 0;
    for (int i = 0; i < count; i++) {
        const unsigned length = headers[i].msg_len;
        const size_t stored = length < s->slot_length ? length : s->slot_length;
        napi_value message;

        if (!packet) {
            /* Any process may send to our port; only the kernel, port 0, is believed. */
            if (from[i].netlink.nl_pid != 0)
                continue;
            if (headers[i].msg_hdr.msg_flags & MSG_TRUNC) {
                *truncated = true;
                continue;
            }
        }
        if (napi_create_buffer_copy(s->env, stored, s->buffer + (size_t)i * s->slot_length, NULL, &message) !=
                napi_ok ||
            napi_set_element(s->env, *messages, kept, message) != napi_ok)
            break;
        if (packet)
            describe_frame(&headers[i].msg_hdr, &from[i], length, meta + (size_t)kept * META_FIELDS);
        kept++;
    }
    return kept;
}

/* Reads what fits the slots. Returns whether more may be waiting. */
static bool receive(socket_t *s) {
    struct mmsghdr headers[MAX_SLOTS];
    struct iovec vectors[MAX_SLOTS];
    control_t controls[MAX_SLOTS];
    address_t from[MAX_SLOTS];
    napi_value messages, metadata;
    bool truncated = false;
    int count;

    memset(headers, 0, sizeof headers);
    for (unsigned i = 0; i < s->slots; i++) {
        vectors[i].iov_base = s->buffer + i * s->slot_length;
        vectors[i].iov_len = s->slot_length;
        headers[i].msg_hdr.msg_name = &from[i];
        headers[i].msg_hdr.msg_namelen = sizeof from[i];
        headers[i].msg_hdr.msg_iov = &vectors[i];
        headers[i].msg_hdr.msg_iovlen = 1;
        headers[i].msg_hdr.msg_control = &controls[i];
        headers[i].msg_hdr.msg_controllen = sizeof controls[i];
    }
    /* MSG_TRUNC as a flag: msg_len is the length on the wire, not what fitted the slot. */
    count = recvmmsg(s->fd, headers, s->slots, MSG_DONTWAIT | MSG_TRUNC, NULL);
    if (count < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            deliver_error(s, errno);
        return false;
    }
    if (copy_batch(s, headers, from, count, &messages, &metadata, &truncated) > 0)
        call_back(s, 0, messages, metadata);
    if (truncated && s->fd >= 0)
        deliver_error(s, EMSGSIZE);
    return (unsigned)count == s->slots && s->fd >= 0;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    socket_t *s = poll->data;
    napi_handle_scope scope;
    int error = 0;
    socklen_t length = sizeof error;

    (void)events;
    if (napi_open_handle_scope(s->env, &scope) != napi_ok)
        return;
    if (s->family == FAMILY_HANGUP) {
        uv_poll_stop(&s->poll);
        deliver_error(s, EPIPE);
    } else if (status == 0) {
        /* Each of our own routes comes back as a notification, hundreds in a turn: unread they would pile up. Frames,
         * which anybody can send, have to wait for what else is to be done. */
        for (int rounds = s->family == AF_NETLINK ? NETLINK_ROUNDS : 1; rounds > 0 && receive(s); rounds--)
            continue;
    } else {
        /* uv stops polling at POLLERR and calls it EBADF; the socket's own error is pending, and reading clears it. */
        if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
            error = errno;
        const int restarted = uv_poll_start(&s->poll, UV_READABLE, on_poll);
        if (error != 0 || restarted != 0)
            deliver_error(s, error != 0 ? error : -restarted);
    }
    napi_close_handle_scope(s->env, scope);
}

/* --- arguments ---------------------------------------------------------------------------------------------- */

static bool get_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *argv, napi_value *self) {
    size_t argc = wanted;

    if (napi_get_cb_info(env, info, &argc, argv, self, NULL) != napi_ok)
        return false;
    if (argc < wanted) {
        throw_type(env, "too few arguments");
        return false;
    }
    return true;
}

static bool get_bytes(napi_env env, napi_value value, uint8_t **bytes, size_t *length) {
    napi_typedarray_type type;
    bool is_typed_array = false;

    napi_is_typedarray(env, value, &is_typed_array);
    if (!is_typed_array ||
        napi_get_typedarray_info(env, value, &type, length, (void **)bytes, NULL, NULL) != napi_ok ||
        type != napi_uint8_array) {
        throw_type(env, "a Uint8Array is wanted");
        return false;
    }
    return true;
}

static bool get_int(napi_env env, napi_value value, int32_t *number) {
    if (napi_get_value_int32(env, value, number) == napi_ok)
        return true;
    throw_type(env, "a number is wanted");
    return false;
}

static bool is_function(napi_env env, napi_value value) {
    napi_valuetype type;

    if (napi_typeof(env, value, &type) == napi_ok && type == napi_function)
        return true;
    throw_type(env, "a function is wanted");
    return false;
}

static bool is_construction(napi_env env, napi_callback_info info) {
    napi_value target = NULL;

    if (napi_get_new_target(env, info, &target) == napi_ok && target != NULL)
        return true;
    throw_type(env, "a constructor: call it with new");
    return false;
}

static socket_t *get_socket(napi_env env, napi_value self) {
    socket_t *s = NULL;
    bool ours = false;

    if (napi_check_object_type_tag(env, self, &SOCKET_TAG, &ours) != napi_ok || !ours ||
        napi_unwrap(env, self, (void **)&s) != napi_ok) {
        throw_type(env, "not a socket");
        return NULL;
    }
    return s;
}

static napi_value int_value(napi_env env, int number) {
    napi_value value = NULL;

    napi_create_int32(env, number, &value);
    return value;
}

/* Puts a filter in force: an array of struct sock_filter, in host byte order, or empty. Returns 0, or the errno. */
static int attach_filter(int fd, uint8_t *filter, size_t length) {
    const struct sock_fprog program = {
        .len = (unsigned short)(length / sizeof(struct sock_filter)),
        .filter = (struct sock_filter *)(void *)filter,
    };

    if (length % sizeof(struct sock_filter) != 0 || length / sizeof(struct sock_filter) > BPF_MAXINSNS)
        return EINVAL;
    return program.len > 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ? errno : 0;
}

/* --- what JavaScript sees ----------------------------------------------------------------------------------- */

/* new PacketSocket(ifindex, ethertype, filter, slotLength, callback). Nothing is received before the filter is in force,
 * for only bind() starts reception. */
static napi_value new_packet_socket(napi_env env, napi_callback_info info) {
    napi_value argv[5], self;
    int32_t ifindex, ethertype, slot_length;
    uint8_t *filter;
    size_t filter_length;
    const int on = 1;

    if (!is_construction(env, info) || !get_arguments(env, info, 5, argv, &self) ||
        !get_int(env, argv[0], &ifindex) || !get_int(env, argv[1], &ethertype) ||
        !get_bytes(env, argv[2], &filter, &filter_length) || !get_int(env, argv[3], &slot_length) ||
        !is_function(env, argv[4]))
        return NULL;
    if (slot_length < 64 || slot_length > MAX_SLOT_LENGTH)
        return throw_errno(env, EINVAL, "slotLength");

    const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return throw_errno(env, errno, "socket");
    const struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons((uint16_t)ethertype),
        .sll_ifindex = ifindex,
    };
    const char *failed = NULL;
    if ((errno = attach_filter(fd, filter, filter_length)) != 0)
        failed = "SO_ATTACH_FILTER";
    else if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) != 0)
        failed = "PACKET_AUXDATA";
    else if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        failed = "bind";
    if (failed != NULL) {
        const int error = errno;
        close(fd);
        return throw_errno(env, error, failed);
    }
    return socket_adopt(env, self, argv[4], AF_PACKET, fd, PACKET_SLOTS, (size_t)slot_length);
}

/* new NetlinkSocket(protocol, receiveBuffer, callback). The buffer is in bytes as SO_RCVBUF counts them; root may exceed
 * net.core.rmem_max, anyone else gets what the limit leaves. */
static napi_value new_netlink_socket(napi_env env, napi_callback_info info) {
    napi_value argv[3], self;
    int32_t protocol, receive_buffer;

    if (!is_construction(env, info) || !get_arguments(env, info, 3, argv, &self) ||
        !get_int(env, argv[0], &protocol) || !get_int(env, argv[1], &receive_buffer) || !is_function(env, argv[2]))
        return NULL;
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return throw_errno(env, errno, "socket");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        const int error = errno;
        close(fd);
        return throw_errno(env, error, "bind");
    }
    return socket_adopt(env, self, argv[2], AF_NETLINK, fd, NETLINK_SLOTS, NETLINK_SLOT_LENGTH);
}

/* new Hangup(fd, callback). Calls back with EPIPE, once, when nobody reads from a pipe or a socket any more: poll(2) tells
 * that without a write. The descriptor stays its owner's. */
static napi_value new_hangup(napi_env env, napi_callback_info info) {
    napi_value argv[2], self;
    int32_t theirs;

    if (!is_construction(env, info) || !get_arguments(env, info, 2, argv, &self) || !get_int(env, argv[0], &theirs) ||
        !is_function(env, argv[1]))
        return NULL;
    const int fd = fcntl(theirs, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return throw_errno(env, errno, "fcntl");
    return socket_adopt(env, self, argv[1], FAMILY_HANGUP, fd, 1, 1);
}

/* send(bytes) -> 0, or the errno; EBADF when closed. Never blocks. */
static napi_value method_send(napi_env env, napi_callback_info info) {
    napi_value argv[1], self;
    socket_t *s;
    uint8_t *bytes;
    size_t length;
    ssize_t sent;

    if (!get_arguments(env, info, 1, argv, &self) || (s = get_socket(env, self)) == NULL ||
        !get_bytes(env, argv[0], &bytes, &length))
        return NULL;
    if (s->fd < 0)
        return int_value(env, EBADF);
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    const bool netlink = s->family == AF_NETLINK;
    do
        sent = sendto(s->fd, bytes, length, MSG_DONTWAIT, netlink ? (const struct sockaddr *)&kernel : NULL,
                      netlink ? sizeof kernel : 0);
    while (sent < 0 && errno == EINTR);
    return int_value(env, sent < 0 ? errno : 0);
}

/* receive(): calls back with what is waiting, a batch at the most, from within the call. */
static napi_value method_receive(napi_env env, napi_callback_info info) {
    napi_value self;
    socket_t *s;

    if (!get_arguments(env, info, 0, NULL, &self) || (s = get_socket(env, self)) == NULL)
        return NULL;
    if (s->fd >= 0)
        receive(s);
    return NULL;
}

/* attachFilter(filter) -> 0, or the errno; EBADF when closed. */
static napi_value method_attach_filter(napi_env env, napi_callback_info info) {
    napi_value argv[1], self;
    socket_t *s;
    uint8_t *filter;
    size_t length;

    if (!get_arguments(env, info, 1, argv, &self) || (s = get_socket(env, self)) == NULL ||
        !get_bytes(env, argv[0], &filter, &length))
        return NULL;
    return int_value(env, s->fd < 0 ? EBADF : attach_filter(s->fd, filter, length));
}

/* What setOption and getOption are given: a socket and (level, name, value). */
typedef struct {
    int fd;
    int32_t level, name;
    uint8_t *bytes;
    size_t length;
} socket_option_t;

static bool get_option_arguments(napi_env env, napi_value *argv, int fd, socket_option_t *o) {
    o->fd = fd;
    return get_int(env, argv[0], &o->level) && get_int(env, argv[1], &o->name) &&
           get_bytes(env, argv[2], &o->bytes, &o->length);
}

static bool get_option_of_socket(napi_env env, napi_callback_info info, socket_option_t *o) {
    napi_value argv[3], self;
    socket_t *s;

    return get_arguments(env, info, 3, argv, &self) && (s = get_socket(env, self)) != NULL &&
           get_option_arguments(env, argv, s->fd, o);
}

static bool get_option_of_descriptor(napi_env env, napi_callback_info info, socket_option_t *o) {
    napi_value argv[4];
    int32_t fd;

    return get_arguments(env, info, 4, argv, NULL) && get_int(env, argv[0], &fd) &&
           get_option_arguments(env, argv + 1, fd, o);
}

/* To a descriptor of -1, as that of a closed socket, the kernel says EBADF. */
static napi_value set_option(napi_env env, const socket_option_t *o) {
    return int_value(env, setsockopt(o->fd, o->level, o->name, o->bytes, (socklen_t)o->length) != 0 ? errno : 0);
}

static napi_value get_option(napi_env env, const socket_option_t *o) {
    socklen_t size = (socklen_t)o->length;

    return int_value(env, getsockopt(o->fd, o->level, o->name, o->bytes, &size) != 0 ? errno : 0);
}

/* setOption(level, name, value) -> 0, or the errno; EBADF when closed. */
static napi_value method_set_option(napi_env env, napi_callback_info info) {
    socket_option_t o;

    return get_option_of_socket(env, info, &o) ? set_option(env, &o) : NULL;
}

/* getOption(level, name, value) -> 0, or the errno. Fills value, as far as the kernel has something for it. */
static napi_value method_get_option(napi_env env, napi_callback_info info) {
    socket_option_t o;

    return get_option_of_socket(env, info, &o) ? get_option(env, &o) : NULL;
}

/* The same of a socket that Node has: setOption(fd, level, name, value), getOption(fd, level, name, value). */
static napi_value function_set_option(napi_env env, napi_callback_info info) {
    socket_option_t o;

    return get_option_of_descriptor(env, info, &o) ? set_option(env, &o) : NULL;
}

static napi_value function_get_option(napi_env env, napi_callback_info info) {
    socket_option_t o;

    return get_option_of_descriptor(env, info, &o) ? get_option(env, &o) : NULL;
}

/* close(): at once, and as often as one likes; no callback comes any more. */
static napi_value method_close(napi_env env, napi_callback_info info) {
    napi_value self;
    socket_t *s;

    if (!get_arguments(env, info, 0, NULL, &self) || (s = get_socket(env, self)) == NULL)
        return NULL;
    socket_close(s);
    return NULL;
}

static bool export_class(napi_env env, napi_value exports, const char *name, napi_callback constructor) {
    const napi_property_descriptor methods[] = {
        {.utf8name = "send", .method = method_send},
        {.utf8name = "receive", .method = method_receive},
        {.utf8name = "attachFilter", .method = method_attach_filter},
        {.utf8name = "setOption", .method = method_set_option},
        {.utf8name = "getOption", .method = method_get_option},
        {.utf8name = "close", .method = method_close},
    };
    napi_value class;

    return napi_define_class(env, name, NAPI_AUTO_LENGTH, constructor, NULL, sizeof methods / sizeof methods[0],
                             methods, &class) == napi_ok &&
           napi_set_named_property(env, exports, name, class) == napi_ok;
}

NAPI_MODULE_INIT() {
    const napi_property_descriptor functions[] = {
        {.utf8name = "setOption", .method = function_set_option, .attributes = napi_enumerable},
        {.utf8name = "getOption", .method = function_get_option, .attributes = napi_enumerable},
    };

    if (!export_class(env, exports, "PacketSocket", new_packet_socket) ||
        !export_class(env, exports, "NetlinkSocket", new_netlink_socket) ||
        !export_class(env, exports, "Hangup", new_hangup) ||
        napi_define_properties(env, exports, sizeof functions / sizeof functions[0], functions) != napi_ok)
        return NULL;
    return exports;
}
