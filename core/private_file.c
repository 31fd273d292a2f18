/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/private_file.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/** Open a file of secrets; the mode is checked on what was opened, not on a name */
static enum mfa_rc open_private(int *fd, struct mfa_diag *diag, char const *what, char const *path)
{
	struct stat st;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (*fd < 0) {
		char const *why = errno == EACCES  ? "permission denied"
				  : errno == ELOOP ? "it is a symbolic link"
						   : "no such file";

		mfa_diag_set(diag, "%s '%s': cannot open: %s", what, path, why);
		return MFA_ERR_NOT_FOUND;
	}
	if (fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		mfa_diag_set(diag, "%s '%s': not a regular file", what, path);
	} else if (st.st_mode & (S_IRWXO | S_IWGRP | S_IXGRP)) {
		mfa_diag_set(diag, "%s '%s': mode %04o, allowed is 0640 or stricter", what, path,
			     (unsigned)st.st_mode & 07777u);
	} else {
		return MFA_OK;
	}
	(void)close(*fd);
	*fd = -1;
	return MFA_ERR_DENIED;
}

enum mfa_rc mfa_private_file_read(uint8_t *out, size_t *len, size_t size, struct mfa_diag *diag,
				  char const *what, char const *path)
{
	ssize_t n = 0;
	int fd;
	enum mfa_rc rc;

	*len = 0;
	rc = open_private(&fd, diag, what, path);
	if (rc != MFA_OK) return rc;
	while (*len < size && (n = read(fd, out + *len, size - *len)) > 0) *len += (size_t)n;
	(void)close(fd);
	if (n < 0) {
		mfa_diag_set(diag, "%s '%s': cannot be read", what, path);
		rc = MFA_ERR_NOT_FOUND;
	} else if (*len == size) {
		mfa_diag_set(diag, "%s '%s': larger than %zu bytes", what, path, size - 1);
		rc = MFA_ERR_SPACE;
	}
	if (rc == MFA_OK) return MFA_OK;
	OPENSSL_cleanse(out, size);
	*len = 0;
	return rc;
}
