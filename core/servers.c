/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/servers.h"
#include "core/clock.h"

#define AGAIN_MS 10000 /* until a server that failed is tried again before the others */

/** Where a server's failure is kept; NULL for one that is too far down the list */
static int64_t *slot(struct mfa_store *store, enum mfa_side side, unsigned n)
{
	return n < MFA_SERVERS_MAX ? &store->failed_until_ms[side][n] : NULL;
}

bool mfa_server_is_good(struct mfa_store *store, enum mfa_side side, unsigned n)
{
	int64_t *failed = slot(store, side, n);
	int64_t until = failed ? __atomic_load_n(failed, __ATOMIC_RELAXED) : 0;
	int64_t const now = mfa_monotonic_ms();

	if (until == 0) return true;
	return now >= until && __atomic_compare_exchange_n(failed, &until, now + AGAIN_MS, false,
							   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static char const *list_of(struct mfa_config const *config, enum mfa_side side)
{
	switch (side) {
	case MFA_SIDE_READ: break;
	case MFA_SIDE_WRITE: return config->write_uri;
	case MFA_SIDE_LEDGER: return config->ledger_endpoints;
	}
	return config->uri;
}

/** Whether there is another server to go to */
static bool is_list(struct mfa_store const *store, enum mfa_side side)
{
	struct mfa_bytes rest = mfa_bytes_of(list_of(store->config, side)), word;
	unsigned count = 0;

	while (rest.len > 0) count += mfa_text_word(&word, &rest) ? 1 : 0;
	return count > 1;
}

bool mfa_server_has_failed(struct mfa_store const *store, enum mfa_side side, unsigned n)
{
	return n < MFA_SERVERS_MAX && is_list(store, side) &&
	       __atomic_load_n(&store->failed_until_ms[side][n], __ATOMIC_RELAXED) != 0;
}

void mfa_server_note_failure(struct mfa_store *store, enum mfa_side side, unsigned n)
{
	int64_t *failed = slot(store, side, n);

	if (failed) __atomic_store_n(failed, mfa_monotonic_ms() + AGAIN_MS, __ATOMIC_RELAXED);
}

void mfa_server_note_success(struct mfa_store *store, enum mfa_side side, unsigned n,
			     char const *uri)
{
	int64_t *failed = slot(store, side, n);
	unsigned before;
	struct mfa_diag line;

	if (failed) __atomic_store_n(failed, 0, __ATOMIC_RELAXED);
	before = __atomic_exchange_n(&store->in_use[side], n, __ATOMIC_RELAXED);
	if (before == n || !store->log) return;
	mfa_diag_set(&line, "new connections go to %s, %s in the list%s", uri,
		     n < before ? "which is earlier" : "which is later",
		     n < before ? ": it works again" : ": a server before it does not answer");
	store->log(line.text);
}
