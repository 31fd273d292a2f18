/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/keys/ringfile.h"

#include "admin/output.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ACCESS_LIST "system.posix_acl_access" /* acl(5) */

/** Lock the folder, since the file itself is replaced */
static enum mfa_rc lock_folder(struct mfa_cli_ringfile *file, struct mfa_diag *diag)
{
	char folder[sizeof(file->path)];
	char *slash;

	memcpy(folder, file->path, sizeof(folder));
	slash = strrchr(folder, '/');
	if (slash == folder) slash++;
	if (slash) *slash = '\0';
	file->folder = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->folder < 0 || flock(file->folder, LOCK_EX) != 0) {
		mfa_diag_set(diag, "%s: the folder cannot be opened", file->path);
		return MFA_ERR_NOT_FOUND;
	}
	return MFA_OK;
}

static enum mfa_rc read_text(struct mfa_cli_ringfile *file, struct mfa_diag *diag, int fd)
{
	struct stat st;
	ssize_t got = 1;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		mfa_diag_set(diag, "%s: not a regular file", file->path);
		return MFA_ERR_DENIED;
	}
	file->exists = true;
	while (got > 0 && file->len <= MFA_KEYRING_FILE_MAX) {
		got = read(fd, file->text + file->len, MFA_KEYRING_FILE_MAX + 1 - file->len);
		if (got > 0) file->len += (size_t)got;
	}
	if (got != 0) {
		mfa_diag_set(diag, "%s: cannot be read, or is larger than %u bytes", file->path,
			     MFA_KEYRING_FILE_MAX);
		return MFA_ERR_FORMAT;
	}
	if (file->len > 0 && file->text[file->len - 1] != '\n') file->text[file->len++] = '\n';
	return MFA_OK;
}

enum mfa_rc mfa_cli_ringfile_open(struct mfa_cli_ringfile *file, struct mfa_diag *diag,
				  char const *path)
{
	enum mfa_rc rc;

	memset(file, 0, sizeof(*file));
	file->folder = file->fd = -1;
	if (snprintf(file->path, sizeof(file->path), "%s", path) >= (int)sizeof(file->path)) {
		mfa_diag_set(diag, "the name of the key ring is too long");
		return MFA_ERR_SPACE;
	}
	rc = lock_folder(file, diag);
	if (rc != MFA_OK) return rc;
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file->fd < 0 && errno == ENOENT) return MFA_OK;
	if (file->fd < 0) {
		mfa_diag_set(diag, "%s: %s", path,
			     errno == ELOOP ? "is a symbolic link; set key_ring to the file itself"
			     : errno == EACCES ? "permission denied"
					       : "cannot be opened");
		return MFA_ERR_DENIED;
	}
	return read_text(file, diag, file->fd);
}

/** Whether a line is the one of a key; with a NULL id: of any key */
static bool is_key_line(char const *line, size_t len, char const *id)
{
	size_t start = 0, end;

	while (start < len && strchr(" \t", line[start])) start++;
	end = start;
	while (end < len && !strchr(" \t\r\n", line[end])) end++;
	if (end == start || line[start] == '#') return false;
	return !id || (strlen(id) == end - start && strncmp(line + start, id, end - start) == 0);
}

/** Find the line of a key, or the first key line; where and how long, with its line break */
static bool find_line(size_t *at, size_t *len, struct mfa_cli_ringfile const *file, char const *id)
{
	for (*at = 0; *at < file->len; *at += *len) {
		char const *end = memchr(file->text + *at, '\n', file->len - *at);

		*len = end ? (size_t)(end + 1 - file->text) - *at : file->len - *at;
		if (is_key_line(file->text + *at, *len, id)) return true;
	}
	*len = 0;
	return false;
}

bool mfa_cli_ringfile_has(struct mfa_cli_ringfile const *file, char const *id)
{
	size_t at, len;

	return find_line(&at, &len, file, id);
}

static enum mfa_rc insert(struct mfa_cli_ringfile *file, size_t at, char const *line, size_t len)
{
	if (file->len + len > sizeof(file->text)) return MFA_ERR_SPACE;
	memmove(file->text + at + len, file->text + at, file->len - at);
	memcpy(file->text + at, line, len);
	file->len += len;
	return MFA_OK;
}

enum mfa_rc mfa_cli_ringfile_add(struct mfa_cli_ringfile *file, char const *id, bool last)
{
	uint8_t master[MFA_KEY_SIZE];
	char line[MFA_KEY_ID_MAX + 64], base64[48];
	size_t at, len;
	enum mfa_rc rc = mfa_random(master, sizeof(master));
	int n;

	if (rc != MFA_OK) return rc;
	(void)EVP_EncodeBlock((uint8_t *)base64, master, sizeof(master));
	n = snprintf(line, sizeof(line), "%s %s\n", id, base64);
	(void)find_line(&at, &len, file, NULL);
	rc = n < 0 || (size_t)n >= sizeof(line)
		     ? MFA_ERR_SPACE
		     : insert(file, last ? file->len : at, line, (size_t)n);
	OPENSSL_cleanse(master, sizeof(master));
	OPENSSL_cleanse(base64, sizeof(base64));
	OPENSSL_cleanse(line, sizeof(line));
	return rc;
}

static void cut(struct mfa_cli_ringfile *file, size_t at, size_t len)
{
	memmove(file->text + at, file->text + at + len, file->len - at - len);
	file->len -= len;
	OPENSSL_cleanse(file->text + file->len, len);
}

enum mfa_rc mfa_cli_ringfile_remove(struct mfa_cli_ringfile *file, char const *id)
{
	size_t at, len;

	if (!find_line(&at, &len, file, id)) return MFA_ERR_NOT_FOUND;
	if (len >= sizeof(file->removed)) return MFA_ERR_SPACE;
	memcpy(file->removed, file->text + at, len);
	file->removed[len] = '\0';
	cut(file, at, len);
	return MFA_OK;
}

enum mfa_rc mfa_cli_ringfile_promote(struct mfa_cli_ringfile *file, char const *id)
{
	char line[256];
	size_t at, len, first, first_len;
	enum mfa_rc rc;

	if (!find_line(&at, &len, file, id)) return MFA_ERR_NOT_FOUND;
	if (len > sizeof(line)) return MFA_ERR_SPACE;
	memcpy(line, file->text + at, len);
	cut(file, at, len);
	(void)find_line(&first, &first_len, file, NULL);
	rc = insert(file, first, line, len);
	OPENSSL_cleanse(line, sizeof(line));
	return rc;
}

/** Give a file the owner, mode and access control list of the ring; 0640 when there is none
 *
 * The mode alone would not do: with an access control list its group bits are the mask, and
 * would let the owning group read what only named users may.
 */
static bool copy_access(struct mfa_cli_ringfile const *file, int fd)
{
	char acl[2048];
	struct stat st;
	ssize_t len;

	if (file->fd < 0) return fchmod(fd, 0640) == 0;
	if (fstat(file->fd, &st) != 0 || fchown(fd, st.st_uid, st.st_gid) != 0) return false;
	len = fgetxattr(file->fd, ACCESS_LIST, acl, sizeof(acl));
	if (len < 0 && errno != ENODATA && errno != ENOTSUP) return false;
	if (len > 0) return fsetxattr(fd, ACCESS_LIST, acl, (size_t)len, 0) == 0;
	return fchmod(fd, st.st_mode & 07777u) == 0;
}

static bool write_all(struct mfa_cli_ringfile const *file, int fd, char const *text, size_t len)
{
	bool const written =
		copy_access(file, fd) && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;

	return close(fd) == 0 && written;
}

/** A file beside the ring; its name must be freed */
static char *name_beside(struct mfa_cli_ringfile const *file, char const *suffix)
{
	char *name;

	return asprintf(&name, "%s%s", file->path, suffix) < 0 ? NULL : name;
}

/** Write the new file beside the old one; its name must be freed, NULL on failure
 *
 * The folder is locked, so a file of this name was left by a run that was killed.
 */
static char *write_beside(struct mfa_cli_ringfile const *file)
{
	char *name = name_beside(file, MFA_CLI_RING_NEW);
	int fd;

	if (!name) return NULL;
	if (unlink(name) == 0)
		mfa_cli_warn("%s was left by a run that was killed: it is written anew", name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && write_all(file, fd, file->text, file->len)) return name;
	(void)unlink(name);
	free(name);
	return NULL;
}

/** Append the key that was taken off to the file of removed keys */
static bool keep_removed(struct mfa_cli_ringfile const *file)
{
	char *name = name_beside(file, MFA_CLI_RING_REMOVED);
	int fd;
	bool kept;

	if (!name) return false;
	fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	free(name);
	if (fd < 0) return false;
	kept = dprintf(fd, "# taken off %s\n", file->path) > 0;
	return write_all(file, fd, file->removed, strlen(file->removed)) && kept;
}

/** Whether the programs will be able to read it */
static enum mfa_rc check_text(struct mfa_cli_ringfile const *file, struct mfa_diag *diag)
{
	struct mfa_keyring *ring;
	enum mfa_rc rc;

	if (file->len > MFA_KEYRING_FILE_MAX) {
		mfa_diag_set(diag, "%s: would be larger than %u bytes", file->path,
			     MFA_KEYRING_FILE_MAX);
		return MFA_ERR_SPACE;
	}
	ring = malloc(sizeof(*ring));
	if (!ring) return MFA_ERR_NOMEM;
	rc = mfa_keyring_parse(ring, diag,
			       (struct mfa_bytes){(uint8_t const *)file->text, file->len});
	mfa_keyring_clear(ring);
	free(ring);
	return rc;
}

enum mfa_rc mfa_cli_ringfile_write(struct mfa_cli_ringfile *file, struct mfa_diag *diag,
				   bool dry_run)
{
	enum mfa_rc rc = check_text(file, diag);
	char *name;

	if (rc != MFA_OK || dry_run) return rc;
	if (file->removed[0] && !keep_removed(file)) {
		mfa_diag_set(diag, "%s%s: cannot be written", file->path, MFA_CLI_RING_REMOVED);
		return MFA_ERR_DENIED;
	}
	name = write_beside(file);
	if (!name || rename(name, file->path) != 0 || fsync(file->folder) != 0) {
		mfa_diag_set(diag, "%s: cannot be written", file->path);
		if (name) (void)unlink(name);
		rc = MFA_ERR_DENIED;
	}
	free(name);
	return rc;
}

void mfa_cli_ringfile_close(struct mfa_cli_ringfile *file)
{
	if (file->folder >= 0) (void)close(file->folder);
	if (file->fd >= 0) (void)close(file->fd);
	OPENSSL_cleanse(file, sizeof(*file));
	file->folder = file->fd = -1;
}
