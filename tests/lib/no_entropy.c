/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file tests/lib/no_entropy.c
 * @brief For LD_PRELOAD: the kernel has no random numbers to give.
 */
#include <errno.h>
#include <stddef.h>

int getentropy(void *buffer, size_t length);

int getentropy(void *buffer, size_t length)
{
	(void)buffer;
	(void)length;
	errno = EIO;
	return -1;
}
