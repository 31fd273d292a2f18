/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration file: it is whole and in range, or refused with a reason. */
#include "core/config.h"
#include "fuzz.h"

static void check_config(struct mfa_config const *config)
{
	CHECK(config->uri && config->uri[0] && config->write_uri && config->ca_file);
	CHECK(config->base_dn && config->base_dn[0] && config->filter && config->key_ring);
	CHECK(config->timeout_s >= 1 && config->timeout_s <= 60);
	CHECK(config->require_cert <= MFA_CERT_NEVER && config->scope <= MFA_SCOPE_BASE);
	CHECK(config->start_tls <= 1 && config->window <= MFA_TOTP_WINDOW_MAX);
	CHECK(config->lock_threshold >= 1 && config->lock_threshold <= 99);
	for (size_t i = 0; i < MFA_ATTR_COUNT; i++) CHECK(config->attr[i] && config->attr[i][0]);
}

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	struct mfa_config config = {0};
	struct mfa_diag diag = {.text = ""};
	char *text;

	if (size > MFA_CONFIG_FILE_MAX || memchr(data, '\0', size)) return 0;
	text = malloc(size + 1);
	CHECK(text);
	memcpy(text, data, size);
	text[size] = '\0';
	if (mfa_config_parse(&config, &diag, mfa_config_items, text, "fuzz") == MFA_OK) {
		check_config(&config);
	} else {
		CHECK(strncmp(diag.text, "fuzz:", 5) == 0);
	}
	mfa_config_clear(&config, mfa_config_items);
	free(text);
	return 0;
}
