/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/doctor/site.h"
#include "admin/output.h"
#include "admin/prompt.h"
#include "core/conn_open.h"

#include <openssl/crypto.h>

#include <string.h>

#define BIT(_attr) (1u << MFA_ATTR_##_attr)
#define ALL	   ((1u << MFA_ATTR_COUNT) - 1u)
#define SECRETS	   (BIT(SECRET) | BIT(RECOVERY_CODE) | BIT(VOUCHER) | BIT(TRUSTED_DEVICE))

/** What somebody may do, by attribute */
struct role {
	char const *name;
	unsigned must_write, must_not_write, must_not_read;
};

static struct role const anonymous_role = {"anonymous", 0, ALL, ALL};
static struct role const user_role = {"a user", 0, ALL, SECRETS};
static struct role const admin_role = {"this account", ALL, 0, 0};
static struct role const radius_role = {
	"RADIUS", BIT(LAST_USE) | BIT(FAILURES) | BIT(RECOVERY_CODE) | BIT(TRUSTED_DEVICE),
	BIT(ENABLED) | BIT(SECRET) | BIT(REQUIRED_FROM) | BIT(VOUCHER), 0};
static struct role const page_role = {"the page",
				      BIT(ENABLED) | BIT(SECRET) | BIT(LAST_USE) | BIT(FAILURES) |
					      BIT(RECOVERY_CODE) | BIT(VOUCHER) |
					      BIT(TRUSTED_DEVICE),
				      BIT(REQUIRED_FROM), 0};

/** A value of the right syntax */
static char *sample(size_t attr)
{
	static char boolean[] = "FALSE", time[] = "19700102000000Z", text[] = "peruser-mfa-check";

	if (attr == MFA_ATTR_ENABLED) return boolean;
	return attr == MFA_ATTR_REQUIRED_FROM ? time : text;
}

/** Try to write, in a way that cannot succeed
 *
 * One modify that deletes the same value twice: the second time it is gone, or it was
 * never there, so the directory undoes the whole.  What it complains of tells whether
 * the account has the right.
 *
 * @return an LDAP result code, never LDAP_SUCCESS.
 */
static int try_write(LDAP *handle, char const *dn, char const *attr, char *value)
{
	char *values[] = {value, NULL};
	LDAPMod mod = {.mod_op = LDAP_MOD_DELETE,
		       .mod_type = (char *)(uintptr_t)attr,
		       .mod_values = values};
	LDAPMod again = mod;
	LDAPMod *mods[] = {&mod, &again, NULL};

	return ldap_modify_ext_s(handle, dn, mods, NULL, NULL);
}

static bool is_denial(int code)
{
	/* An operations error is what Active Directory answers to those who did not bind. */
	return code == LDAP_INSUFFICIENT_ACCESS || code == LDAP_STRONG_AUTH_REQUIRED ||
	       code == LDAP_UNWILLING_TO_PERFORM || code == LDAP_NO_SUCH_OBJECT ||
	       code == LDAP_CONFIDENTIALITY_REQUIRED || code == LDAP_OPERATIONS_ERROR;
}

bool mfa_cli_doctor_may_write(LDAP *handle, char const *dn, char const *attr, char *value)
{
	int const code = try_write(handle, dn, attr, value);

	return !is_denial(code) && code != LDAP_UNDEFINED_TYPE && code != LDAP_INVALID_SYNTAX;
}

/** Whether values come back; an entry that has none tells nothing */
static bool can_read(struct mfa_cli_doctor *doctor, LDAP *handle, size_t attr)
{
	char const *const attrs[] = {doctor->cli->config.attr[attr], NULL};
	LDAPMessage *result = mfa_cli_doctor_read(handle, doctor->test_dn, attrs);
	struct berval **values = NULL;

	if (!result) return false;
	values = ldap_get_values_len(handle, ldap_first_entry(handle, result), attrs[0]);
	(void)ldap_msgfree(result);
	if (!values) return false;
	for (size_t i = 0; values[i]; i++) OPENSSL_cleanse(values[i]->bv_val, values[i]->bv_len);
	ldap_value_free_len(values);
	return true;
}

static void check_role(struct mfa_cli_doctor *doctor, LDAP *handle, struct role const *role)
{
	bool good = true;

	for (size_t attr = 0; attr < MFA_ATTR_COUNT; attr++) {
		char const *name = doctor->cli->config.attr[attr];
		unsigned const bit = 1u << attr;
		bool const tried = (role->must_write | role->must_not_write) & bit;
		bool const denied =
			tried && is_denial(try_write(handle, doctor->test_dn,
						     doctor->cli->config.attr[attr], sample(attr)));

		if (role->must_write & bit && denied) {
			mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "access",
					   "%s may not write '%s', and must", role->name, name);
			good = false;
		}
		if (role->must_not_write & bit && !denied) {
			mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "access",
					   "%s may write '%s', and must not", role->name, name);
			good = false;
		}
		if (role->must_not_read & bit && can_read(doctor, handle, attr)) {
			mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "access",
					   "%s may read '%s', and must not", role->name, name);
			good = false;
		}
	}
	if (good)
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "access", "%s: as it should be", role->name);
}

/** Bind as somebody and look what they may do */
static void check_account(struct mfa_cli_doctor *doctor, struct role const *role, char const *dn,
			  char const *file)
{
	struct mfa_diag diag = {.text = ""};
	char password[512] = "";
	struct mfa_account const account = {.identity = dn, .password = password};
	LDAP *handle = NULL;
	enum mfa_rc rc = MFA_OK;

	if (file) rc = mfa_cli_read_secret(password, sizeof(password), &diag, file);
	if (rc == MFA_OK) {
		mfa_conn_start(doctor->cli->conn);
		rc = mfa_conn_connect_as(&handle, NULL, &diag, doctor->cli->conn, MFA_SIDE_READ,
					 &account);
	}
	if (rc == MFA_OK) {
		check_role(doctor, handle, role);
		if (role == &user_role) mfa_cli_doctor_mapped(doctor, handle, dn);
		(void)ldap_unbind_ext(handle, NULL, NULL);
	} else if (role == &anonymous_role) {
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "access", "anonymous: refused altogether");
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "access", "%s: %s", role->name,
				   diag.text);
	}
	OPENSSL_cleanse(password, sizeof(password));
}

void mfa_cli_doctor_access(struct mfa_cli_doctor *doctor)
{
	struct mfa_cli_args const *args = &doctor->cli->args;
	struct {
		struct role const *role;
		char const *dn, *file;
	} const given[] = {
		{&radius_role, args->as_radius, args->as_radius_file},
		{&page_role, args->as_page, args->as_page_file},
		{&user_role, args->as_user, args->as_user_file},
	};

	if (!doctor->test_dn[0]) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "access",
				   "no user found to try it on; name one");
		return;
	}
	check_role(doctor, doctor->handle, &admin_role);
	check_account(doctor, &anonymous_role, "", NULL);
	if (!args->as_user) mfa_cli_doctor_mapped(doctor, NULL, NULL);
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		if (!given[i].dn) continue;
		check_account(doctor, given[i].role, given[i].dn,
			      given[i].file ? given[i].file : "/dev/null");
	}
}
