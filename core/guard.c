/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/conn.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

/*
 * libldap bounds how long it waits for an answer, but not for the bytes of a TLS handshake
 * (with GnuTLS it spins until they arrive) nor for the rest of an answer that has begun.  A
 * server that is stopped there would hold a thread for ever.  So a layer of ours lies between
 * the socket and TLS: it waits for the socket until the deadline of the connection and then
 * reports an error, which nobody above tries again.
 */

int64_t mfa_monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** Milliseconds until the deadline as poll(2) takes them; -1 when there is none */
static int left_ms(struct mfa_conn const *conn)
{
	int64_t left;

	if (conn->io_deadline_ms == 0) return -1;
	left = conn->io_deadline_ms - mfa_monotonic_ms();
	if (left < 0) return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

/** Wait until the socket can be read or written; false with errno set when it is too late */
static bool wait_for(int *socket, Sockbuf_IO_Desc *sbiod, short events)
{
	struct pollfd fd = {.fd = -1, .events = events};
	int ready;

	if (ber_sockbuf_ctrl(sbiod->sbiod_sb, LBER_SB_OPT_GET_FD, &fd.fd) < 0) {
		errno = EBADF;
		return false;
	}
	do {
		ready = poll(&fd, 1, left_ms(sbiod->sbiod_pvt));
	} while (ready < 0 && errno == EINTR);
	if (ready == 0) errno = ETIMEDOUT;
	*socket = fd.fd;
	return ready > 0;
}

static bool try_again(ber_slen_t result)
{
	return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static ber_slen_t guarded_read(Sockbuf_IO_Desc *sbiod, void *buf, ber_len_t len)
{
	ber_slen_t n;
	int socket;

	do {
		if (!wait_for(&socket, sbiod, POLLIN)) return -1;
		n = LBER_SBIOD_READ_NEXT(sbiod, buf, len);
	} while (try_again(n));
	return n;
}

static ber_slen_t guarded_write(Sockbuf_IO_Desc *sbiod, void *buf, ber_len_t len)
{
	ber_slen_t n;
	int socket;

	do {
		if (!wait_for(&socket, sbiod, POLLOUT)) return -1;
		/* By ourselves, since the layer below would let a server that went away kill us. */
		n = send(socket, buf, len, MSG_NOSIGNAL);
	} while (try_again(n));
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
	int const level = (LBER_SBIOD_LEVEL_PROVIDER + LBER_SBIOD_LEVEL_TRANSPORT) / 2;

	(void)handle;
	(void)server;
	(void)address;
	return ber_sockbuf_add_io(sb, &io, level, callback->lc_arg);
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
