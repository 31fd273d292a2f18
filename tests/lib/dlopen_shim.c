/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Preloaded in front of libasan. FreeRADIUS opens its modules with RTLD_DEEPBIND, at which
 * the sanitizer's runtime gives up: the flag is taken away on the way to the real dlopen.
 */
#include <dlfcn.h>
#include <stddef.h>

void *dlopen(char const *file, int mode)
{
	static void *(*real)(char const *, int);

	if (!real) *(void **)&real = dlsym(RTLD_NEXT, "dlopen");
	if (!real) return NULL;

	return real(file, mode & ~RTLD_DEEPBIND);
}
