/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/qr.h"

#include <openssl/crypto.h>
#include <qrencode.h>

#include <errno.h>

#define QUIET 4 /* light modules around the code (ISO/IEC 18004 section 6.3.8) */

/** Whether a module is light; everything outside is */
static bool is_light(QRcode const *code, int row, int column)
{
	if (row < 0 || column < 0 || row >= code->width || column >= code->width) return true;
	return (code->data[row * code->width + column] & 1) == 0;
}

static void draw_row(FILE *out, QRcode const *code, int row)
{
	/* nothing, lower half, upper half, both */
	static char const *const block[] = {" ", "\u2584", "\u2580", "\u2588"};

	for (int column = -QUIET; column < code->width + QUIET; column++) {
		bool const upper = is_light(code, row, column);
		bool const lower =
			row + 1 >= code->width + QUIET || is_light(code, row + 1, column);

		(void)fputs(block[(upper ? 2 : 0) + (lower ? 1 : 0)], out);
	}
}

enum mfa_rc mfa_cli_qr_draw(FILE *out, char const *text, bool color)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);

	if (!code) return errno == ENOMEM ? MFA_ERR_NOMEM : MFA_ERR_SPACE;
	for (int row = -QUIET; row < code->width + QUIET; row += 2) {
		if (color) (void)fputs("\033[40;97m", out);
		draw_row(out, code, row);
		(void)fputs(color ? "\033[0m\n" : "\n", out);
	}
	OPENSSL_cleanse(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
	return MFA_OK;
}
