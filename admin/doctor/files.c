/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/doctor/doctor.h"

#include "admin/keys/ringfile.h"

#include <elf.h>
#include <fcntl.h>
#include <glob.h>
#include <ldap.h>
#include <mfa_build.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODULE_DEFAULT MFA_FR_LIBDIR "/rlm_peruser_mfa.so"
#define MODULE_MAX     (32u << 20)
#define SYMBOL	       "rlm_peruser_mfa"

/** Files beside the ring that hold keys and should not stay for ever */
static void check_beside_ring(struct mfa_cli_doctor *doctor)
{
	static struct {
		char const *pattern, *text;
	} const known[] = {
		{MFA_CLI_RING_NEW, "holds keys; a run that was killed left it: delete it"},
		{".??????", "holds keys; a run that was killed may have left it: delete it"},
		{MFA_CLI_RING_REMOVED, "holds keys that were taken off the ring: delete it when no "
				       "login needs them"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char pattern[600];
		glob_t found;

		(void)snprintf(pattern, sizeof(pattern), "%s%s", doctor->cli->config.key_ring,
			       known[i].pattern);
		if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0) continue;
		for (size_t j = 0; j < found.gl_pathc; j++)
			mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "key ring", "%s %s",
					   found.gl_pathv[j], known[i].text);
		globfree(&found);
	}
}

static void check_ring(struct mfa_cli_doctor *doctor)
{
	struct mfa_cli *cli = doctor->cli;
	struct mfa_diag diag = {.text = ""};
	struct stat st;

	cli->have_ring = mfa_keyring_load(&cli->ring, &diag, cli->config.key_ring) == MFA_OK;
	if (!cli->have_ring) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "key ring", "%s; see 'keygen'",
				   diag.text);
		return;
	}
	mfa_cli_doctor_say(doctor, MFA_CLI_OK, "key ring", "%zu keys, '%s' seals", cli->ring.count,
			   cli->ring.key[0].id);
	if (stat(cli->config.key_ring, &st) != 0) return;
	if (st.st_uid != 0) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "key ring owner",
				   "user %u owns it and can replace it: chown root '%s'",
				   (unsigned)st.st_uid, cli->config.key_ring);
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "key ring owner", "root, mode %04o",
				   (unsigned)st.st_mode & 07777u);
	}
}

static void check_mode(struct mfa_cli_doctor *doctor, char const *what, char const *path)
{
	struct stat st;

	if (!path || !path[0]) return;
	if (stat(path, &st) != 0) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, what, "'%s' cannot be found", path);
	} else if (st.st_mode & S_IRWXO && strcmp(what, "password file") == 0) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, what,
				   "others can read it (mode %04o): chmod o= '%s'",
				   (unsigned)st.st_mode & 07777u, path);
	} else if (st.st_mode & S_IWOTH) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, what,
				   "others can write it: chmod o-w '%s'", path);
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, what, "'%s', mode %04o", path,
				   (unsigned)st.st_mode & 07777u);
	}
}

/** Whether every URI of a list is on this machine, or encrypted */
static bool is_protected(char const *uris, bool start_tls)
{
	struct mfa_bytes rest = mfa_bytes_of(uris), word;

	while (rest.len > 0) {
		char const *uri;

		if (!mfa_text_word(&word, &rest)) continue;
		uri = (char const *)word.data;
		if (strncasecmp(uri, "ldap://", 7) != 0 || start_tls) continue;
		if (strncmp(uri + 7, "127.", 4) != 0 && strncmp(uri + 7, "[::1]", 5) != 0 &&
		    strncasecmp(uri + 7, "localhost", 9) != 0) {
			return false;
		}
	}
	return true;
}

static void check_tls(struct mfa_cli_doctor *doctor)
{
	struct mfa_config const *config = &doctor->cli->config;

	if (!is_protected(config->uri, config->start_tls) ||
	    !is_protected(config->write_uri, config->start_tls)) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "TLS",
				   "passwords and secrets cross the network in clear: use ldaps:// "
				   "or start_tls = yes");
	} else if (config->require_cert != MFA_CERT_DEMAND) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "TLS",
				   "a certificate that cannot be verified is accepted: "
				   "require_cert = demand");
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "TLS", "encrypted, or on this machine");
	}
}

/** How many machines a URI's host name stands for; 0 when it is not known */
static size_t count_addresses(char const *uri)
{
	struct addrinfo const hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	LDAPURLDesc *parsed = NULL;
	size_t v4 = 0, v6 = 0;

	if (ldap_url_parse(uri, &parsed) != LDAP_URL_SUCCESS) return 0;
	if (parsed->lud_host && strncasecmp(parsed->lud_scheme, "ldapi", 5) != 0 &&
	    getaddrinfo(parsed->lud_host, NULL, &hints, &found) == 0) {
		for (struct addrinfo *at = found; at; at = at->ai_next) {
			v4 += at->ai_family == AF_INET ? 1 : 0;
			v6 += at->ai_family == AF_INET6 ? 1 : 0;
		}
		freeaddrinfo(found);
	}
	ldap_free_urldesc(parsed);
	/* One machine may well have an address of each kind. */
	return v4 > v6 ? v4 : v6;
}

/** Whether one server is the one that is written to */
static void check_writers(struct mfa_cli_doctor *doctor)
{
	struct mfa_config const *config = &doctor->cli->config;
	char const *writer = config->write_uri[0] ? config->write_uri : config->uri;
	bool const several = strchr(writer + strspn(writer, " "), ' ') != NULL;

	if (config->several_writers == MFA_SEVERAL_ACCEPT_REPLAYS) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "writers",
				   "several_writers = accept_replays: the same code may be "
				   "accepted once at each server that is written to");
	} else if (!several && count_addresses(writer) > 1) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "writers",
				   "the name in '%s' has several addresses: if they are several "
				   "servers, the same code may be accepted once at each",
				   writer);
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "writers", "changes go to %s", writer);
	}
}

void mfa_cli_doctor_files(struct mfa_cli_doctor *doctor)
{
	struct mfa_cli *cli = doctor->cli;

	check_mode(doctor, "configuration", cli->config_path);
	check_mode(doctor, "our settings", cli->settings_path);
	check_mode(doctor, "password file",
		   cli->args.password_file ? cli->args.password_file : cli->settings.password_file);
	check_ring(doctor);
	check_beside_ring(doctor);
	check_tls(doctor);
	check_writers(doctor);
}

/** A piece of a mapped file, or NULL when the file is too short for it */
static void const *piece(struct mfa_bytes file, uint64_t offset, uint64_t len)
{
	if (offset > file.len || len > file.len - offset || offset % 8 != 0) return NULL;
	return file.data + offset;
}

/** Where in the file the address of a symbol is */
static uint64_t address_offset(struct mfa_bytes file, Elf64_Ehdr const *head, uint64_t address)
{
	Elf64_Phdr const *part =
		piece(file, head->e_phoff, (uint64_t)head->e_phnum * sizeof(Elf64_Phdr));

	for (unsigned i = 0; part && i < head->e_phnum; i++) {
		if (part[i].p_type == PT_LOAD && address >= part[i].p_vaddr &&
		    address - part[i].p_vaddr < part[i].p_filesz) {
			return address - part[i].p_vaddr + part[i].p_offset;
		}
	}
	return UINT64_MAX;
}

/** The address of our symbol in one table, or 0 */
static uint64_t find_symbol(struct mfa_bytes file, Elf64_Shdr const *table, Elf64_Shdr const *names)
{
	Elf64_Sym const *symbol = piece(file, table->sh_offset, table->sh_size);

	for (uint64_t i = 0; symbol && i < table->sh_size / sizeof(*symbol); i++) {
		uint64_t const at = names->sh_offset + symbol[i].st_name;

		if (at <= file.len && file.len - at >= sizeof(SYMBOL) &&
		    strncmp((char const *)file.data + at, SYMBOL, sizeof(SYMBOL)) == 0) {
			return symbol[i].st_value;
		}
	}
	return 0;
}

/** The number that a FreeRADIUS module begins with: what it was built for; 0: not found */
static uint64_t module_magic(struct mfa_bytes file)
{
	Elf64_Ehdr const *head = piece(file, 0, sizeof(*head));
	Elf64_Shdr const *section;
	uint64_t const *magic = NULL;

	if (!head || strncmp((char const *)head->e_ident, ELFMAG, SELFMAG) != 0 ||
	    head->e_ident[EI_CLASS] != ELFCLASS64) {
		return 0;
	}
	section = piece(file, head->e_shoff, (uint64_t)head->e_shnum * sizeof(*section));
	for (unsigned i = 0; section && i < head->e_shnum; i++) {
		uint64_t address;

		if (section[i].sh_type != SHT_DYNSYM || section[i].sh_link >= head->e_shnum)
			continue;
		address = find_symbol(file, &section[i], &section[section[i].sh_link]);
		if (address) magic = piece(file, address_offset(file, head, address), 8);
	}
	return magic ? *magic : 0;
}

static uint64_t read_magic(char const *path)
{
	int const fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint64_t magic = 0;
	void *map;

	if (fd < 0) return 0;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= (off_t)MODULE_MAX) {
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map != MAP_FAILED) {
			magic = module_magic((struct mfa_bytes){map, (size_t)st.st_size});
			(void)munmap(map, (size_t)st.st_size);
		}
	}
	(void)close(fd);
	return magic;
}

/** What a program writes, by a fixed path and without a shell */
static bool run_program(char *out, size_t out_size, char const *path, char const *argument)
{
	int pipes[2], status = 1;
	size_t len = 0;
	ssize_t got;
	pid_t child;

	out[0] = '\0';
	if (access(path, X_OK) != 0 || pipe2(pipes, O_CLOEXEC) != 0) return false;
	child = fork();
	if (child == 0) {
		if (dup2(pipes[1], STDOUT_FILENO) >= 0)
			(void)execl(path, path, argument, (char *)NULL);
		_exit(127);
	}
	(void)close(pipes[1]);
	while ((got = read(pipes[0], out + len, out_size - 1 - len)) > 0) len += (size_t)got;
	out[len] = '\0';
	(void)close(pipes[0]);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/** "FreeRADIUS Version 3.2.1, ..." as 0x030201 */
static uint32_t server_version(void)
{
	static char const *const programs[] = {"/usr/sbin/freeradius", "/usr/sbin/radiusd"};
	uint32_t version = 0;
	char text[1024];

	for (size_t i = 0; i < 2 && version == 0; i++) {
		char const *at = run_program(text, sizeof(text), programs[i], "-v")
					 ? strstr(text, "Version ")
					 : NULL;
		unsigned parts = 0;

		for (at = at ? at + 8 : ""; parts < 3 && *at >= '0' && *at <= '9'; parts++) {
			uint32_t number = 0;

			while (*at >= '0' && *at <= '9')
				number = number * 10 + (uint32_t)(*at++ - '0');
			version = version << 8 | (number & 0xffu);
			if (*at == '.') at++;
		}
	}
	return version;
}

/** FreeRADIUS writes the decimal digits of each part as hexadecimal ones: 3.2.10 is 0x030210 */
static uint32_t version_of(uint64_t magic)
{
	uint32_t const digits = (uint32_t)(magic >> 20) & 0xffffffu;
	uint32_t version = 0;

	for (int shift = 16; shift >= 0; shift -= 8) {
		uint32_t const part = digits >> shift & 0xffu;

		version = version << 8 | ((part >> 4) * 10 + (part & 15u));
	}
	return version;
}

void mfa_cli_doctor_module(struct mfa_cli_doctor *doctor)
{
	char const *path = doctor->cli->args.module ? doctor->cli->args.module : MODULE_DEFAULT;
	uint64_t const magic = read_magic(path);
	uint32_t const built = version_of(magic), runs = server_version();

	if (access(path, F_OK) != 0) {
		mfa_cli_doctor_say(doctor, doctor->cli->args.module ? MFA_CLI_WRONG : MFA_CLI_OK,
				   "module", "not on this machine ('%s')", path);
	} else if (magic == 0 || runs == 0) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "module",
				   "'%s': the version of the %s cannot be told", path,
				   magic == 0 ? "module" : "server");
	} else if (built != runs) {
		mfa_cli_doctor_say(
			doctor, MFA_CLI_WRONG, "module",
			"built for FreeRADIUS %u.%u.%u, the server is %u.%u.%u: build it "
			"again",
			built >> 16, built >> 8 & 255u, built & 255u, runs >> 16, runs >> 8 & 255u,
			runs & 255u);
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "module",
				   "built for FreeRADIUS %u.%u.%u, as "
				   "is the server",
				   runs >> 16, runs >> 8 & 255u, runs & 255u);
	}
}
