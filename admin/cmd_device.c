/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/device.h"
#include "admin/output.h"
#include "admin/view.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>

/** A line per device, and nothing else of the record */
static enum mfa_cli_exit list_devices(struct mfa_cli *cli, char const *user)
{
	struct mfa_entry *entry = mfa_cli_entry_alloc();
	struct mfa_cli_view *view = malloc(sizeof(*view));
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc rc = MFA_ERR_NOMEM;

	if (entry && view) rc = mfa_cli_find(entry, &diag, cli, user);
	if (rc == MFA_OK) {
		mfa_cli_view_make(view, cli, entry);
		for (size_t i = 0; i < view->device_count; i++)
			mfa_cli_say(cli, "%zu  %s\n", i + 1,
				    view->device[i].readable ? view->device[i].totp.name
							     : "(cannot be read)");
		mfa_cli_json(cli, mfa_cli_view_json(view, user));
		mfa_cli_view_clear(view);
	} else {
		mfa_cli_warn("%s: %s", user, diag.text);
	}
	free(view);
	mfa_cli_entry_free(&entry);
	return mfa_cli_exit_of(rc);
}

static enum mfa_outcome remove_one(struct mfa_cli_edit *edit)
{
	size_t at;

	if (!mfa_cli_device_find(&at, edit, edit->cli->operand[2])) return MFA_OUTCOME_REFUSED;
	return mfa_cli_device_remove(edit, at);
}

/** The same secret with another name, sealed anew */
static enum mfa_outcome rename_one(struct mfa_cli_edit *edit)
{
	char const *name = edit->cli->operand[3];
	struct mfa_keyring const *ring = &edit->cli->ring;
	char value[MFA_SECRET_SIZE];
	struct mfa_totp totp;
	size_t at, other;
	enum mfa_rc rc;

	if (mfa_cli_device_find(&other, edit, name)) {
		mfa_diag_set(&edit->text, "has a device '%s' already", name);
		return MFA_OUTCOME_REFUSED;
	}
	if (!mfa_cli_device_find(&at, edit, edit->cli->operand[2])) return MFA_OUTCOME_REFUSED;
	rc = mfa_secret_parse(&totp, &edit->text, ring, edit->entry->id,
			      mfa_entry_get(edit->entry, MFA_ATTR_SECRET, at));
	if (rc != MFA_OK) return MFA_OUTCOME_FAILED;
	mfa_cli_clean(totp.name, sizeof(totp.name), mfa_bytes_of(name));
	rc = mfa_secret_format(value, &totp, ring, edit->entry->id);
	OPENSSL_cleanse(&totp, sizeof(totp));
	if (rc != MFA_OK) return MFA_OUTCOME_FAILED;
	mfa_change_delete(&edit->change, MFA_ATTR_SECRET,
			  mfa_entry_get(edit->entry, MFA_ATTR_SECRET, at));
	mfa_change_add(&edit->change, MFA_ATTR_SECRET, value);
	mfa_diag_set(&edit->text, "the device is called '%s' now", name);
	return MFA_OUTCOME_CHANGED;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	char const *action = cli->operand[0];
	bool const removes = strcmp(action, "remove") == 0 && cli->operand_count == 3;
	bool const renames = strcmp(action, "rename") == 0 && cli->operand_count == 4;
	struct mfa_cli_work const work = {.decide = removes ? remove_one : rename_one};

	if (strcmp(action, "list") == 0 && cli->operand_count == 2)
		return list_devices(cli, cli->operand[1]);
	if (renames && (!cli->operand[3][0] || strlen(cli->operand[3]) > MFA_TOTP_NAME_MAX)) {
		mfa_cli_warn("a name has 1 to %u bytes", MFA_TOTP_NAME_MAX);
		return MFA_CLI_USAGE;
	}
	if (!removes && !renames) {
		mfa_cli_warn("say 'device list USER', 'device remove USER NAME' or 'device rename "
			     "USER NAME NEW'");
		return MFA_CLI_USAGE;
	}
	if (removes) cli->event = MFA_EVENT_DEVICE_REMOVED;
	(void)mfa_cli_edit_user(cli, &work, cli->operand[1]);
	return mfa_cli_tally_exit(cli);
}

static struct mfa_cli_option const options[] = {MFA_CLI_OPTION_DRY_RUN, MFA_CLI_OPTION_END};

struct mfa_cli_command const mfa_cli_device_command = {
	.name = "device",
	.event = MFA_EVENT_DEVICE_CHANGED,
	.operands = "list USER | remove USER NAME | rename USER NAME NEW",
	.summary = "List, remove or rename the devices of a user",
	.operands_min = 2,
	.operands_max = 4,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
