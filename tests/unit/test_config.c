/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/config.h"
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEAST                                                                                      \
	"ldap { uri = \"ldap://localhost\" }\nuser { base_dn = \"dc=example\" }\n"                 \
	"key_ring = \"/etc/ring\"\n"

static struct mfa_config config;
static struct mfa_diag diag;

static enum mfa_rc parse(char const *text)
{
	mfa_config_clear(&config, mfa_config_items);
	diag.text[0] = '\0';
	return mfa_config_parse(&config, &diag, mfa_config_items, text, "test.conf");
}

static int clear(void **state)
{
	(void)state;
	mfa_config_clear(&config, mfa_config_items);
	return 0;
}

static void the_least_configuration_has_the_defaults(void **state)
{
	(void)state;
	if (parse(LEAST) != MFA_OK) fail_msg("%s", diag.text);
	assert_string_equal(config.uri, "ldap://localhost");
	assert_string_equal(config.write_uri, "");
	assert_int_equal(config.several_writers, MFA_SEVERAL_REFUSE);
	assert_int_equal(config.confirm, MFA_CONFIRM_WHEN_REACHABLE);
	assert_int_equal(mfa_config_confirm(&config), MFA_CONFIRM_NO);
	assert_int_equal(config.start_tls, 0);
	assert_string_equal(config.ca_file, "");
	assert_int_equal(config.require_cert, MFA_CERT_DEMAND);
	assert_int_equal(config.timeout_s, 3);
	assert_int_equal(config.connect_timeout_s, 2);
	assert_string_equal(config.base_dn, "dc=example");
	assert_string_equal(config.filter, "(uid=%{%{Stripped-User-Name}:-%{User-Name}})");
	assert_int_equal(config.scope, MFA_SCOPE_SUB);
	assert_string_equal(config.attr[MFA_ATTR_ENABLED], "peruserMfaEnabled");
	assert_string_equal(config.attr[MFA_ATTR_TRUSTED_DEVICE], "peruserMfaTrustedDevice");
	assert_string_equal(config.attr_id, "entryUUID");
	assert_string_equal(config.object_class, "peruserMfaUser");
	assert_int_equal(config.window, 1);
	assert_int_equal(config.lock_threshold, 5);
	assert_int_equal(config.lock_base_s, 30);
	assert_int_equal(config.lock_max_s, 3600);
	assert_string_equal(config.key_ring, "/etc/ring");
}

static void every_item_is_read(void **state)
{
	(void)state;
	if (parse("# a comment\n"
		  "ldap {\n"
		  "\turi = \"ldap://a ldap://b\"\n"
		  "\twrite_uri = \"ldap://c\"\n"
		  "\tstart_tls = yes\n"
		  "\tca_file = \"/etc/ca file.pem\"\n"
		  "\trequire_cert = \"allow\"\n"
		  "\ttimeout = 60\n"
		  "\tconnect_timeout = 1\n"
		  "}\n"
		  "user {\n"
		  "\tbase_dn = \"ou=people,dc=example,dc=org\"\n"
		  "\tfilter = \"(mail=%{User-Name})\"\n"
		  "\tscope = one\n"
		  "}\n"
		  "attribute {\n"
		  "\tsecret = \"siteSecret\"\n"
		  "\tobject_class = \"\"\n"
		  "}\n"
		  "totp {\n\twindow = 0\n\tdrift_max = 40\n}\n"
		  "lockout {\n\tthreshold = 99\n\tbase = 86400\n\tmax = 604800\n}\n"
		  "key_ring = /etc/ring\n") != MFA_OK) {
		fail_msg("%s", diag.text);
	}
	assert_string_equal(config.uri, "ldap://a ldap://b");
	assert_string_equal(config.write_uri, "ldap://c");
	assert_int_equal(mfa_config_confirm(&config), MFA_CONFIRM_WHEN_REACHABLE);
	assert_int_equal(config.start_tls, 1);
	assert_string_equal(config.ca_file, "/etc/ca file.pem");
	assert_int_equal(config.require_cert, MFA_CERT_ALLOW);
	assert_int_equal(config.timeout_s, 60);
	assert_string_equal(config.filter, "(mail=%{User-Name})");
	assert_int_equal(config.scope, MFA_SCOPE_ONE);
	assert_string_equal(config.attr[MFA_ATTR_SECRET], "siteSecret");
	assert_string_equal(config.object_class, "");
	assert_int_equal(config.window, 0);
	assert_int_equal(config.drift_max, 40);
	assert_int_equal(config.lock_threshold, 99);
	assert_int_equal(config.lock_max_s, 604800);
}

static void several_writers_need_the_option_that_names_the_risk(void **state)
{
	static char const *const good[] = {
		LEAST
		"ldap { write_uri = \"ldap://a ldap://b\" several_writers = accept_replays }\n",
		LEAST "ldap { write_uri = \" \" several_writers = refuse }\n",
		"ldap { uri = \"ldap://a ldap://b\" several_writers = accept_replays }\n"
		"user { base_dn = o }\nkey_ring = r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		if (parse(good[i]) != MFA_OK) fail_msg("%s: %s", good[i], diag.text);
	}
	assert_int_equal(config.several_writers, MFA_SEVERAL_ACCEPT_REPLAYS);
}

static void what_is_wrong_is_told_with_file_and_line(void **state)
{
	static struct {
		char const *text, *line, *what;
	} const bad[] = {
		{"", "test.conf: ", "'uri' in section ldap must be set"},
		{"key_ring = a\n", "test.conf: ", "'uri' in section ldap must be set"},
		{"\n\nnonsense = 1\n", "test.conf:3: ", "nonsense"},
		{LEAST "ldap {\n\turl = x\n}\n", "test.conf:5: ", "url"},
		{LEAST "ldap { timeout = 0 }\n", "test.conf:4: ", "a number from 1 to 60"},
		{LEAST "ldap {\n timeout = 61\n }\n", "test.conf:5: ", "a number from 1 to 60"},
		{LEAST "ldap { timeout = 3s }\n", "test.conf:4: ", "a number from 1 to 60"},
		{LEAST "ldap { timeout = -1 }\n", "test.conf:4: ", "a number from 1 to 60"},
		{LEAST "ldap { timeout = \"\" }\n", "test.conf:4: ", "a number from 1 to 60"},
		{LEAST "ldap { start_tls = maybe }\n", "test.conf:4: ", "must be yes or no"},
		{LEAST "ldap { require_cert = \"\" }\n", "test.conf:4: ", "demand allow never"},
		{LEAST "ldap { require_cert = none }\n", "test.conf:4: ", "demand allow never"},
		{LEAST "user { scope = subtree }\n", "test.conf:4: ", "sub one base"},
		{LEAST "user { filter = \"()\" }\n", "test.conf:4: ", "3 to 1024 characters"},
		{LEAST "attribute { secret = \"\" }\n", "test.conf:4: ", "1 to 64 characters"},
		{LEAST "lockout { threshold = 100 }\n", "test.conf:4: ", "from 1 to 99"},
		{LEAST "totp { window = 11 }\n", "test.conf:4: ", "from 0 to 10"},
		{LEAST "key_ring = b\n", "test.conf:4: ", "'key_ring' is given twice"},
		{LEAST "ldap { uri = \"ldap://b\" }\n", "test.conf:4: ", "'uri' is given twice"},
		{LEAST "ldap { write_uri = \"http://b\" }\n", "test.conf:4: ", "must be URIs"},
		{LEAST "ldap { write_uri = \"ldap://a b\" }\n", "test.conf:4: ", "must be URIs"},
		{"ldap { uri = \"ldap://a ldap://b\" }\nuser { base_dn = o }\nkey_ring = r\n",
		 "test.conf: ", "'uri' in section ldap names 2 servers"},
		{LEAST "ldap { write_uri = \" ldap://a  ldap://b ldap://c\" }\n",
		 "test.conf: ", "'write_uri' in section ldap names 3 servers"},
		{LEAST "ldap { several_writers = yes }\n",
		 "test.conf:4: ", "refuse accept_replays"},
		{LEAST "attribute { secret = \"a b\" }\n", "test.conf:4: ", "must be a name"},
		{LEAST "attribute { secret = \"1.2.x\" }\n", "test.conf:4: ", "must be a name"},
		{LEAST "attribute { secret = peruserMfaEnabled }\n",
		 "test.conf: ", "the same attribute"},
		{LEAST "totp {\n window = ${X}\n}\n", "test.conf:5: ", "not a variable"},
		{LEAST "ldap { timeout = }\n", "test.conf:4: ", ""},
		{LEAST "ldap { timeout }\n", "test.conf:4: ", ""},
		{LEAST "}\n", "test.conf:4: ", ""},
		{LEAST "totp {\n window = 1\n", "test.conf:6: ", "section 'totp' is not closed"},
		{LEAST "totp {\n window = 1", "test.conf:6: ", "section 'totp' is not closed"},
		{LEAST "totp {\n window = 1 # }", "test.conf:", "section 'totp' is not closed"},
		{LEAST "totp { window = \"1\n", "test.conf:", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (parse(bad[i].text) != MFA_ERR_FORMAT) fail_msg("%s: is read", bad[i].text);
		if (strncmp(diag.text, bad[i].line, strlen(bad[i].line)) != 0 ||
		    !strstr(diag.text, bad[i].what)) {
			fail_msg("%s: %s", bad[i].text, diag.text);
		}
	}
}

static void each_required_item_is_missed(void **state)
{
	static struct {
		char const *text, *what;
	} const bad[] = {
		{"user { base_dn = x }\nkey_ring = x\n", "'uri' in section ldap"},
		{"ldap { uri = \"ldap://x\" }\nkey_ring = x\n", "'base_dn' in section user"},
		{"ldap { uri = \"ldap://x\" }\nuser { base_dn = x }\n", "'key_ring' must be set"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(parse(bad[i].text), MFA_ERR_FORMAT);
		assert_non_null(strstr(diag.text, bad[i].what));
	}
}

static void the_first_problem_is_told(void **state)
{
	(void)state;
	assert_int_equal(parse("ldap {\n timeout = x\n connect_timeout = y\n}\nfoo = 1\n"),
			 MFA_ERR_FORMAT);
	assert_non_null(strstr(diag.text, "test.conf:2: 'timeout'"));
}

/* libconfuse would put an environment variable in place of it. */
static void nothing_comes_from_the_environment(void **state)
{
	static char const *const value[] = {"${HOME}", "\"${HOME}\"", "\"a${HOME:-b}\"",
					    "'${HOME}'"};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(value); i++) {
		(void)snprintf(text, sizeof(text),
			       "ldap { uri = \"ldap://x\" }\nuser { base_dn = %s }\nkey_ring = x\n",
			       value[i]);
		assert_int_equal(parse(text), MFA_ERR_FORMAT);
		assert_non_null(strstr(diag.text, "test.conf:2: "));
	}
	assert_int_equal(parse("  # ${HOME}\n" LEAST), MFA_OK);
}

static void booleans_have_three_spellings_each(void **state)
{
	static char const *const yes[] = {"yes", "true", "on", "YES"};
	static char const *const no[] = {"no", "false", "off", "No"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(yes); i++) {
		assert_int_equal(mfa_config_set(&config, &diag, mfa_config_items, "ldap",
						"start_tls", yes[i]),
				 MFA_OK);
		assert_int_equal(config.start_tls, 1);
		assert_int_equal(mfa_config_set(&config, &diag, mfa_config_items, "ldap",
						"start_tls", no[i]),
				 MFA_OK);
		assert_int_equal(config.start_tls, 0);
	}
}

static void an_item_is_found_in_its_own_section_alone(void **state)
{
	(void)state;
	assert_int_equal(mfa_config_set(&config, &diag, mfa_config_items, NULL, "uri", "x"),
			 MFA_ERR_NOT_FOUND);
	assert_int_equal(mfa_config_set(&config, &diag, mfa_config_items, "user", "uri", "x"),
			 MFA_ERR_NOT_FOUND);
	assert_non_null(strstr(diag.text, "unknown item 'uri' in section user"));
	assert_int_equal(mfa_config_set(&config, NULL, mfa_config_items, "ldap", "key_ring", "x"),
			 MFA_ERR_NOT_FOUND);
	assert_true(mfa_config_has_section(mfa_config_items, "ldap"));
	assert_true(mfa_config_has_section(mfa_config_items, "lockout"));
	assert_false(mfa_config_has_section(mfa_config_items, "key_ring"));
	assert_false(mfa_config_has_section(mfa_config_items, ""));
}

static void strings_have_a_largest_size(void **state)
{
	char value[1026];

	(void)state;
	memset(value, 'x', sizeof(value));
	value[1024] = '\0';
	assert_int_equal(mfa_config_set(&config, &diag, mfa_config_items, "user", "base_dn", value),
			 MFA_OK);
	value[1024] = 'x';
	value[1025] = '\0';
	assert_int_equal(mfa_config_set(&config, &diag, mfa_config_items, "user", "base_dn", value),
			 MFA_ERR_FORMAT);
}

static void a_cleared_configuration_holds_nothing(void **state)
{
	(void)state;
	assert_int_equal(parse(LEAST), MFA_OK);
	mfa_config_clear(&config, mfa_config_items);
	assert_zero(&config, sizeof(config));
	mfa_config_clear(&config, mfa_config_items);
}

/* ---- from a file */

static char path[300];

static void write_file(void const *text, size_t len)
{
	char const *tmp = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
	int fd;

	(void)snprintf(path, sizeof(path), "%s/mfa-config-XXXXXX", tmp ? tmp : "/tmp");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	(void)close(fd);
}

static enum mfa_rc read_file(void)
{
	mfa_config_clear(&config, mfa_config_items);
	diag.text[0] = '\0';
	return mfa_config_read(&config, &diag, mfa_config_items, path);
}

static void a_file_is_read(void **state)
{
	(void)state;
	write_file(LEAST, strlen(LEAST));
	if (read_file() != MFA_OK) fail_msg("%s", diag.text);
	assert_string_equal(config.base_dn, "dc=example");
	(void)unlink(path);
	assert_int_equal(read_file(), MFA_ERR_NOT_FOUND);
	assert_non_null(strstr(diag.text, path));
}

static void a_file_is_named_in_messages(void **state)
{
	static char const text[] = LEAST "totp { window = 11 }\n";

	(void)state;
	write_file(text, strlen(text));
	assert_int_equal(read_file(), MFA_ERR_FORMAT);
	assert_int_equal(strncmp(diag.text, path, strlen(path)), 0);
	assert_int_equal(strncmp(diag.text + strlen(path), ":4: ", 4), 0);
	(void)unlink(path);
}

static void what_is_no_text_is_no_configuration(void **state)
{
	static char const nul[] = LEAST "\0totp { window = 11 }\n";
	static char large[MFA_CONFIG_FILE_MAX + 1];

	(void)state;
	write_file(nul, sizeof(nul) - 1);
	assert_int_equal(read_file(), MFA_ERR_FORMAT);
	(void)unlink(path);

	memset(large, '\n', sizeof(large));
	memcpy(large, LEAST, strlen(LEAST));
	write_file(large, MFA_CONFIG_FILE_MAX);
	assert_int_equal(read_file(), MFA_OK);
	(void)unlink(path);
	write_file(large, sizeof(large));
	assert_int_equal(read_file(), MFA_ERR_SPACE);
	(void)unlink(path);

	(void)snprintf(path, sizeof(path), "/");
	assert_int_equal(read_file(), MFA_ERR_NOT_FOUND);
	assert_true(diag.text[0]);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test_teardown(the_least_configuration_has_the_defaults, clear),
		cmocka_unit_test_teardown(every_item_is_read, clear),
		cmocka_unit_test_teardown(what_is_wrong_is_told_with_file_and_line, clear),
		cmocka_unit_test_teardown(several_writers_need_the_option_that_names_the_risk,
					  clear),
		cmocka_unit_test_teardown(each_required_item_is_missed, clear),
		cmocka_unit_test_teardown(the_first_problem_is_told, clear),
		cmocka_unit_test_teardown(nothing_comes_from_the_environment, clear),
		cmocka_unit_test_teardown(booleans_have_three_spellings_each, clear),
		cmocka_unit_test_teardown(an_item_is_found_in_its_own_section_alone, clear),
		cmocka_unit_test_teardown(strings_have_a_largest_size, clear),
		cmocka_unit_test_teardown(a_cleared_configuration_holds_nothing, clear),
		cmocka_unit_test_teardown(a_file_is_read, clear),
		cmocka_unit_test_teardown(a_file_is_named_in_messages, clear),
		cmocka_unit_test_teardown(what_is_no_text_is_no_configuration, clear),
	};

	return RUN(tests);
}
