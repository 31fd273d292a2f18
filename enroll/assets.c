/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/pages.h"

/* The files stand in the program itself, so that there is nothing else to install. */
#define FILE_AS(_symbol, _path)                                                                    \
	__asm__(".section .rodata\n" #_symbol ":\n.incbin \"" _path "\"\n.byte 0\n.previous\n");   \
	extern char const _symbol[] __attribute__((visibility("hidden")))

FILE_AS(mfa_file_style, "enroll/page.css");
FILE_AS(mfa_file_script, "enroll/page.js");
FILE_AS(mfa_file_icon, "enroll/icon.svg");

static void send_file(struct mfa_web *web, char const *file, char const *type)
{
	web->answer.type = type;
	web->answer.cacheable = true;
	mfa_out_raw(&web->body, file);
}

void mfa_page_style(struct mfa_web *web)
{
	send_file(web, mfa_file_style, "text/css; charset=utf-8");
}

void mfa_page_icon(struct mfa_web *web)
{
	send_file(web, mfa_file_icon, "image/svg+xml");
}

void mfa_page_script(struct mfa_web *web)
{
	send_file(web, mfa_file_script, "text/javascript; charset=utf-8");
}
