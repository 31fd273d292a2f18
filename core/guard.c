/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/guard.h"
#include "core/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

#define RECV_LIMIT_MS 100 /* how long a read may sleep without a look at the deadline */

/*
 * libldap bounds how long it waits for an answer, but not for the bytes of a TLS handshake
 * (with GnuTLS it spins until they arrive) nor for the rest of an answer that has begun.  A
 * server that is stopped there would hold a thread for ever.  So a layer of ours takes the
 * place of libldap's own on the socket: it waits until the deadline of the connection and then
 * reports an error, which nobody above tries again.  Over it lies libldap's layer that reads
 * ahead, so that an answer in many parts costs one system call.
 *
 * While an operation has a deadline the layer says that there is something to read: libldap
 * then reads at once, where it would first wait in a poll of its own, and the wait is ours.
 */

/** Milliseconds until the deadline as poll(2) takes them; -1 when there is none */
static int left_ms(struct mfa_conn const *conn)
{
	int64_t left;

	if (conn->io_deadline_ms == 0) return -1;
	left = conn->io_deadline_ms - mfa_monotonic_ms();
	if (left < 0) return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

/** The socket under all layers, or -1 */
static int socket_of(Sockbuf_IO_Desc *sbiod)
{
	int fd = -1;

	if (ber_sockbuf_ctrl(sbiod->sbiod_sb, LBER_SB_OPT_GET_FD, &fd) < 0) fd = -1;
	return fd;
}

/** Whether to try again what just failed: at once, or when the socket is ready; errno says why not */
static bool try_again(Sockbuf_IO_Desc *sbiod, int socket, short events)
{
	struct pollfd fd = {.fd = socket, .events = events};
	int ready;

	if (errno == EINTR) return true;
	if (errno != EAGAIN) return false;
	do {
		ready = poll(&fd, 1, left_ms(sbiod->sbiod_pvt));
	} while (ready < 0 && errno == EINTR);
	if (ready == 0) errno = ETIMEDOUT;
	return ready > 0;
}

/** How to read: asleep in recv(2) itself, as long as the socket's own limit ends before the deadline */
static int read_flags(struct mfa_conn const *conn)
{
	return left_ms(conn) > RECV_LIMIT_MS ? 0 : MSG_DONTWAIT;
}

static ber_slen_t guarded_read(Sockbuf_IO_Desc *sbiod, void *buf, ber_len_t len)
{
	int const socket = socket_of(sbiod);
	ber_slen_t n;

	do {
		n = recv(socket, buf, len, read_flags(sbiod->sbiod_pvt));
	} while (n < 0 && try_again(sbiod, socket, POLLIN));
	return n;
}

/* A server that went away must not kill us by a signal. */
static ber_slen_t guarded_write(Sockbuf_IO_Desc *sbiod, void *buf, ber_len_t len)
{
	int const socket = socket_of(sbiod);
	ber_slen_t n;

	do {
		n = send(socket, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && try_again(sbiod, socket, POLLOUT));
	return n;
}

static int guard_setup(Sockbuf_IO_Desc *sbiod, void *arg)
{
	sbiod->sbiod_pvt = arg;
	return 0;
}

static int guard_remove(Sockbuf_IO_Desc *sbiod)
{
	sbiod->sbiod_pvt = NULL;
	return 0;
}

static int guard_ctrl(Sockbuf_IO_Desc *sbiod, int opt, void *arg)
{
	struct mfa_conn const *conn = sbiod->sbiod_pvt;

	if (opt == LBER_SB_OPT_DATA_READY && conn->io_deadline_ms != 0) return 1;
	return LBER_SBIOD_CTRL_NEXT(sbiod, opt, arg);
}

static int guard_close(Sockbuf_IO_Desc *sbiod)
{
	(void)sbiod;
	return 0;
}

/** Called by libldap when a socket is connected, before TLS starts on it */
static int add_guard(LDAP *handle, Sockbuf *sb, LDAPURLDesc *server, struct sockaddr *address,
		     struct ldap_conncb *callback)
{
	static Sockbuf_IO io = {
		.sbi_setup = guard_setup,
		.sbi_remove = guard_remove,
		.sbi_ctrl = guard_ctrl,
		.sbi_read = guarded_read,
		.sbi_write = guarded_write,
		.sbi_close = guard_close,
	};
	struct timeval const limit = {.tv_usec = RECV_LIMIT_MS * 1000};
	int const level = (LBER_SBIOD_LEVEL_PROVIDER + LBER_SBIOD_LEVEL_TRANSPORT) / 2;
	int socket = -1;

	(void)handle;
	(void)server;
	(void)address;
	if (ber_sockbuf_add_io(sb, &io, level, callback->lc_arg) < 0 ||
	    ber_sockbuf_ctrl(sb, LBER_SB_OPT_GET_FD, &socket) < 0 ||
	    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0) {
		return -1;
	}
	return ber_sockbuf_add_io(sb, &ber_sockbuf_io_readahead, level + 1, NULL);
}

static void drop_guard(LDAP *handle, Sockbuf *sb, struct ldap_conncb *callback)
{
	(void)handle;
	(void)sb;
	(void)callback;
}

int mfa_conn_guard(LDAP *handle, struct mfa_conn *conn)
{
	conn->guard =
		(struct ldap_conncb){.lc_add = add_guard, .lc_del = drop_guard, .lc_arg = conn};
	return ldap_set_option(handle, LDAP_OPT_CONNECT_CB, &conn->guard);
}
