#include "src/http/socket.h"

#include "bridge/base/slice.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool is_unix(const struct http_address *address)
{
    return address->name.ss_family == AF_UNIX;
}

static const struct sockaddr_un *as_unix(const struct http_address *address)
{
    return (const struct sockaddr_un *)&address->name;
}

static const char *reason(void)
{
    return uv_strerror(uv_translate_sys_error(errno));
}

/* ---- From text ---- */

static int read_unix(struct http_address *address, const char *path, struct error *error)
{
    struct sockaddr_un *name = (struct sockaddr_un *)&address->name;
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof(name->sun_path)) {
        return error_set(error, "cannot listen on " HTTP_UNIX_PREFIX "%s: the path must have from 1 to %zu bytes", path,
                         sizeof(name->sun_path) - 1);
    }
    name->sun_family = AF_UNIX;
    memcpy(name->sun_path, path, size + 1);
    return 0;
}

/* Without the brackets of "[::1]". False when it is no address. */
static bool read_numbers(struct http_address *address, const char *text, int port)
{
    char host[64];
    struct slice slice = slice_is(slice_text(text), "localhost") ? slice_text("127.0.0.1") : slice_text(text);
    if (slice.size > 2 && slice.data[0] == '[' && slice.data[slice.size - 1] == ']') {
        slice = slice_of(slice.data + 1, slice.size - 2);
    }
    if (slice.size >= sizeof(host)) {
        return false;
    }
    memcpy(host, slice.data, slice.size);
    host[slice.size] = '\0';
    return uv_ip4_addr(host, port, (struct sockaddr_in *)&address->name) == 0 ||
           uv_ip6_addr(host, port, (struct sockaddr_in6 *)&address->name) == 0;
}

int http_address_read(struct http_address *address, const char *text, int port, struct error *error)
{
    size_t prefix = sizeof(HTTP_UNIX_PREFIX) - 1;
    address->name = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    if (strncmp(text, HTTP_UNIX_PREFIX, prefix) == 0) {
        return read_unix(address, text + prefix, error);
    }
    if (port < 0 || port > 65535 || !read_numbers(address, text, port)) {
        return error_set(error,
                         "cannot listen on %s port %d: an address is localhost, or numbers such as 0.0.0.0 or ::1",
                         text, port);
    }
    return 0;
}

/* ---- From who started us ---- */

static int find_name(struct http_address *address, int descriptor)
{
    socklen_t size = sizeof(address->name);
    memset(&address->name, 0, sizeof(address->name));
    return getsockname(descriptor, (struct sockaddr *)&address->name, &size) == 0 ? 0 : uv_translate_sys_error(errno);
}

int http_address_inherit(struct http_address *address, int descriptor, struct error *error)
{
    int is_listening = 0;
    int type = 0;
    socklen_t size = sizeof(int);
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) != 0 || is_listening == 0 ||
        getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM ||
        find_name(address, descriptor) != 0) {
        return error_set(error, "file descriptor %d is no socket that listens for streams", descriptor);
    }
    address->descriptor = descriptor;
    return 0;
}

/* ---- Listening ---- */

/* Whether somebody takes connections there. Without waiting: a full queue is somebody's, too. */
static bool is_served(const struct http_address *address)
{
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    if (client < 0) {
        return true;
    }
    fcntl(client, F_SETFL, O_NONBLOCK);
    int result = connect(client, (const struct sockaddr *)&address->name, sizeof(struct sockaddr_un));
    bool is_refused = result != 0 && (errno == ECONNREFUSED || errno == ENOENT);
    close(client);
    return !is_refused;
}

int http_address_clear(const struct http_address *address, struct error *error)
{
    const char *path = as_unix(address)->sun_path;
    struct stat status;
    if (!is_unix(address) || address->descriptor > 0 || lstat(path, &status) != 0) {
        return 0;
    }
    if (!S_ISSOCK(status.st_mode)) {
        return error_set(error, "cannot listen on " HTTP_UNIX_PREFIX "%s: it is there already, and no socket", path);
    }
    if (is_served(address)) {
        return error_set(error, "cannot listen on " HTTP_UNIX_PREFIX "%s: address already in use", path);
    }
    if (unlink(path) != 0) {
        return error_set(error, "cannot remove the old socket %s: %s", path, reason());
    }
    return 0;
}

/* The mode holds from the first moment on: nobody can be quicker than a chmod(2). */
static int bind_unix(uv_pipe_t *pipe, const struct http_address *address)
{
    mode_t before = umask(0777 & ~(mode_t)address->mode);
    int result = uv_pipe_bind(pipe, as_unix(address)->sun_path);
    umask(before);
    return result;
}

static int adopt(union http_socket *socket, const struct http_address *address)
{
    int flags = fcntl(address->descriptor, F_GETFD);
    fcntl(address->descriptor, F_SETFD, flags | FD_CLOEXEC);
    return is_unix(address) ? uv_pipe_open(&socket->pipe, address->descriptor)
                            : uv_tcp_open(&socket->tcp, address->descriptor);
}

int http_socket_bind(uv_loop_t *loop, union http_socket *socket, const struct http_address *address)
{
    int result = is_unix(address) ? uv_pipe_init(loop, &socket->pipe, 0) : uv_tcp_init(loop, &socket->tcp);
    if (result != 0) {
        return result;
    }
    if (address->descriptor > 0) {
        return adopt(socket, address);
    }
    return is_unix(address) ? bind_unix(&socket->pipe, address)
                            : uv_tcp_bind(&socket->tcp, (const struct sockaddr *)&address->name, 0);
}

int http_socket_accept(union http_socket *socket, uv_stream_t *listening)
{
    bool is_pipe = listening->type == UV_NAMED_PIPE;
    int result = is_pipe ? uv_pipe_init(listening->loop, &socket->pipe, 0) : uv_tcp_init(listening->loop, &socket->tcp);
    if (result == 0) {
        result = uv_accept(listening, &socket->stream);
    }
    if (result == 0 && !is_pipe) {
        /* Answers and events are whole when they are written: waiting for more would only delay them. */
        uv_tcp_nodelay(&socket->tcp, 1);
    }
    return result;
}

/* ---- What it is ---- */

static bool is_loopback_v6(const struct in6_addr *address)
{
    bool is_mapped = IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(address) || is_mapped;
}

enum http_reach http_address_reach(const struct http_address *address)
{
    bool is_loopback = false;
    if (is_unix(address)) {
        return HTTP_REACH_UNIX;
    }
    if (address->name.ss_family == AF_INET) {
        is_loopback = ntohl(((const struct sockaddr_in *)&address->name)->sin_addr.s_addr) >> 24 == 127;
    } else if (address->name.ss_family == AF_INET6) {
        is_loopback = is_loopback_v6(&((const struct sockaddr_in6 *)&address->name)->sin6_addr);
    }
    return is_loopback ? HTTP_REACH_LOOPBACK : HTTP_REACH_NETWORK;
}

int http_address_port(const struct http_address *address)
{
    /* The port stands at the same place in both families. */
    return is_unix(address) ? 0 : ntohs(((const struct sockaddr_in *)&address->name)->sin_port);
}

void http_address_print(const struct http_address *address, char *text, size_t size)
{
    char host[64] = "";
    bool is_v6 = address->name.ss_family == AF_INET6;
    if (is_unix(address)) {
        snprintf(text, size, HTTP_UNIX_PREFIX "%s", as_unix(address)->sun_path);
        return;
    }
    if (is_v6) {
        uv_ip6_name((const struct sockaddr_in6 *)&address->name, host, sizeof(host));
    } else {
        uv_ip4_name((const struct sockaddr_in *)&address->name, host, sizeof(host));
    }
    snprintf(text, size, "%s%s%s:%d", is_v6 ? "[" : "", host, is_v6 ? "]" : "", http_address_port(address));
}
