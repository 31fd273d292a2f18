/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Preloaded in front of libasan. FreeRADIUS opens its modules with RTLD_DEEPBIND, at which
 * the sanitizer's runtime gives up: the flag is taken away on the way to the real dlopen.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

/*
 * Linked with "-z initfirst", this runs before any other library's constructor. Otherwise the
 * sanitizer starts at the first malloc, which is libgpg-error's under the lock of gettext: there
 * its own message about a missing symbol breaks that lock, and the next bindtextdomain waits forever.
 */
static void __attribute__((constructor)) start_sanitizer(void)
{
	void *volatile memory = malloc(1); /* cppcheck-suppress unusedAllocatedMemory */

	free(memory);
}

void *dlopen(char const *file, int mode)
{
	static void *(*real)(char const *, int);

	if (!real) *(void **)&real = dlsym(RTLD_NEXT, "dlopen");
	if (!real) return NULL;

	return real(file, mode & ~RTLD_DEEPBIND);
}

/* What stays loaded can be named in the report of leaks, and what it points to is no leak. */
int dlclose(void *handle)
{
	(void)handle;
	return 0;
}
