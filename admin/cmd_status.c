/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/output.h"
#include "admin/view.h"
#include "admin/walk.h"

#include "core/hashed.h"

#include <stdio.h>
#include <stdlib.h>

static void say_devices(struct mfa_cli const *cli, struct mfa_cli_view const *view)
{
	for (size_t i = 0; i < view->device_count; i++) {
		struct mfa_cli_device const *device = &view->device[i];
		char name[MFA_TOTP_NAME_MAX + 1], key[MFA_KEY_ID_MAX + 1], time[MFA_CLI_TIME_SIZE];
		char problem[MFA_DIAG_SIZE];

		mfa_cli_clean(key, sizeof(key), device->key_id);
		if (!device->readable) {
			mfa_cli_clean(problem, sizeof(problem), mfa_bytes_of(device->diag.text));
			mfa_cli_say(cli, "device:       cannot be read: %s\n", problem);
			continue;
		}
		mfa_cli_clean(name, sizeof(name), mfa_bytes_of(device->totp.name));
		mfa_cli_say(cli, "device:       '%s', %s, %u digits, %u s, added %s, %s%s\n", name,
			    mfa_totp_hash_name(device->totp.hash), device->totp.digits,
			    device->totp.period_s,
			    mfa_cli_time_format(
				    time, device->totp.added_s > 0 ? device->totp.added_s : -1),
			    key[0] ? "sealed with " : "not sealed", key);
	}
}

static void say_use(struct mfa_cli const *cli, struct mfa_cli_view const *view)
{
	char time[MFA_CLI_TIME_SIZE], span[MFA_CLI_TIME_SIZE];

	if (view->last_use_bad) {
		mfa_cli_say(cli, "last use:     cannot be read\n");
	} else if (!view->last_use.present) {
		mfa_cli_say(cli, "last use:     never\n");
	} else {
		mfa_cli_say(cli, "last use:     %s, %s ago",
			    mfa_cli_time_format(time, view->last_use.time_s),
			    mfa_cli_span_format(span, cli->now_s - view->last_use.time_s));
		if (view->last_use_period_s > 0)
			mfa_cli_say(cli, ", clock off by %+lld steps", (long long)view->drift);
		mfa_cli_say(cli, "\n");
	}
}

static void say_failures(struct mfa_cli const *cli, struct mfa_cli_view const *view)
{
	char time[MFA_CLI_TIME_SIZE], span[MFA_CLI_TIME_SIZE];

	if (view->failures_bad) {
		mfa_cli_say(cli, "wrong codes:  cannot be read\n");
		return;
	}
	mfa_cli_say(cli, "wrong codes:  %u in a row", view->failures.count);
	if (view->failures.present)
		mfa_cli_say(cli, ", the last at %s",
			    mfa_cli_time_format(time, view->failures.time_s));
	if (view->locked_s == MFA_WAIT_FOREVER) {
		mfa_cli_say(cli, "; locked until it is unlocked");
	} else if (view->locked_s > 0) {
		mfa_cli_say(cli, "; locked for %s", mfa_cli_span_format(span, view->locked_s));
	}
	mfa_cli_say(cli, "\n");
}

static void say_trusted(struct mfa_cli const *cli, struct mfa_cli_view const *view)
{
	for (size_t i = 0; i < view->trusted_count; i++) {
		struct mfa_device device;
		char label[MFA_DEVICE_LABEL_MAX + 1], time[MFA_CLI_TIME_SIZE];

		if (mfa_device_parse(&device, mfa_entry_get(view->entry, MFA_ATTR_TRUSTED_DEVICE,
							    i)) != MFA_OK) {
			mfa_cli_say(cli, "trusted:      cannot be read\n");
			continue;
		}
		mfa_cli_clean(label, sizeof(label), device.label);
		mfa_cli_say(cli, "trusted:      '%s' until %s\n", label,
			    mfa_cli_time_format(time, device.expires_s));
	}
}

static void say_required(struct mfa_cli const *cli, struct mfa_cli_view const *view)
{
	char time[MFA_CLI_TIME_SIZE];

	if (mfa_entry_count(view->entry, MFA_ATTR_REQUIRED_FROM) == 0) {
		mfa_cli_say(cli, "required:     no\n");
	} else if (view->required_from_s == 0) {
		mfa_cli_say(cli, "required:     until that is removed\n");
	} else {
		mfa_cli_say(cli, "required:     from %s\n",
			    mfa_cli_time_format(time, view->required_from_s));
	}
}

static void say_view(struct mfa_cli const *cli, struct mfa_cli_view const *view, char const *user)
{
	char text[512], time[MFA_CLI_TIME_SIZE];

	mfa_cli_clean(text, sizeof(text), mfa_bytes_of(user));
	mfa_cli_say(cli, "user:         %s\n", text);
	mfa_cli_clean(text, sizeof(text), view->entry->dn);
	mfa_cli_say(cli, "entry:        %s\n", text);
	mfa_cli_say(cli, "state:        %s: %s\n", mfa_state_name(view->state),
		    mfa_cli_state_words(view->state));
	mfa_cli_clean(text, sizeof(text), mfa_bytes_of(view->diag.text));
	if (text[0]) mfa_cli_say(cli, "problem:      %s\n", text);
	mfa_cli_say(cli, "since:        %s\n",
		    mfa_cli_time_format(time, mfa_cli_view_since_s(view)));
	say_devices(cli, view);
	say_use(cli, view);
	say_failures(cli, view);
	mfa_cli_say(cli, "recovery:     %zu codes left\n", view->recovery_count);
	say_required(cli, view);
	if (view->voucher_until_s >= 0)
		mfa_cli_say(cli, "voucher:      valid until %s\n",
			    mfa_cli_time_format(time, view->voucher_until_s));
	say_trusted(cli, view);
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct mfa_entry *entry = mfa_cli_entry_alloc();
	struct mfa_cli_view *view = malloc(sizeof(*view));
	struct mfa_diag diag = {.text = "no memory"};
	char const *user = cli->operand[0];
	enum mfa_rc rc = MFA_ERR_NOMEM;

	if (entry && view) rc = mfa_cli_find(entry, &diag, cli, user);
	if (rc == MFA_OK) {
		mfa_cli_view_make(view, cli, entry);
		say_view(cli, view, user);
		mfa_cli_json(cli, mfa_cli_view_json(view, user));
		mfa_cli_view_clear(view);
	} else {
		mfa_cli_warn("%s: %s", user, diag.text);
	}
	free(view);
	mfa_cli_entry_free(&entry);
	return mfa_cli_exit_of(rc);
}

static struct mfa_cli_option const options[] = {MFA_CLI_OPTION_END};

struct mfa_cli_command const mfa_cli_status = {
	.name = "status",
	.operands = "USER",
	.summary = "Show the record of a user in words",
	.operands_min = 1,
	.operands_max = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
