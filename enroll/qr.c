/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/qr.h"

#include <openssl/crypto.h>
#include <qrencode.h>

#include <stdio.h>
#include <string.h>

#define MARGIN 4

/** One path for all dark modules, a rectangle for each run of them in a row */
static void draw_modules(struct mfa_out *out, QRcode const *code)
{
	char step[64];

	for (int y = 0; y < code->width; y++) {
		unsigned char const *row = code->data + (size_t)y * (size_t)code->width;

		for (int x = 0, run; x<code->width; x += run> 0 ? run : 1) {
			for (run = 0; x + run < code->width && (row[x + run] & 1) != 0;) run++;
			if (run == 0) continue;
			(void)snprintf(step, sizeof(step), "M%d %dh%dv1h-%dz", x + MARGIN,
				       y + MARGIN, run, run);
			mfa_out_raw(out, step);
		}
	}
}

enum mfa_rc mfa_qr_draw(struct mfa_out *out, char const *text, char const *label)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	char size[16];

	if (!code) return MFA_ERR_INTERNAL;
	(void)snprintf(size, sizeof(size), "%d", code->width + 2 * MARGIN);
	mfa_out_raw(out, "<svg class=\"qr\" role=\"img\" aria-label=\"");
	mfa_out_text(out, label);
	mfa_out_raw(out, "\" viewBox=\"0 0 ");
	mfa_out_raw(out, size);
	mfa_out_raw(out, " ");
	mfa_out_raw(out, size);
	mfa_out_raw(out, "\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h");
	mfa_out_raw(out, size);
	mfa_out_raw(out, "v");
	mfa_out_raw(out, size);
	mfa_out_raw(out, "H0z\"/><path fill=\"#000\" d=\"");
	draw_modules(out, code);
	mfa_out_raw(out, "\"/></svg>\n");
	OPENSSL_cleanse(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
	return MFA_OK;
}
