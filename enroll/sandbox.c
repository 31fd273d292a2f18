/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <mfa_build.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#if MFA_SECCOMP
#include <seccomp.h>
#endif

#if MFA_SECCOMP
/* A sanitizer's runtime uses calls of its own. */
#if defined(__SANITIZE_ADDRESS__)
#define FILTERED false
#else
#define FILTERED true
#endif

#define CALL(_name) SCMP_SYS(_name)

/* What libc, libldap, GnuTLS, the resolver and libfcgi use while they serve. */
static int const allowed[] = {
	/* files that are open, and reading others */
	CALL(read),
	CALL(readv),
	CALL(pread64),
	CALL(write),
	CALL(writev),
	CALL(pwrite64),
	CALL(close),
	CALL(fstat),
	CALL(newfstatat),
	CALL(stat),
	CALL(lstat),
	CALL(statx),
	CALL(lseek),
	CALL(access),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(readlink),
	CALL(readlinkat),
	CALL(getdents64),
	CALL(fcntl),
	CALL(flock),
	CALL(ioctl),
	CALL(dup),
	CALL(getcwd),
	CALL(statfs),
	CALL(fstatfs),
	/* sockets */
	CALL(socket),
	CALL(connect),
	CALL(bind),
	CALL(accept),
	CALL(accept4),
	CALL(shutdown),
	CALL(sendto),
	CALL(sendmsg),
	CALL(sendmmsg),
	CALL(recvfrom),
	CALL(recvmsg),
	CALL(recvmmsg),
	CALL(getsockname),
	CALL(getpeername),
	CALL(getsockopt),
	CALL(setsockopt),
	CALL(poll),
	CALL(ppoll),
	CALL(select),
	CALL(pselect6),
	/* memory */
	CALL(brk),
	CALL(mmap),
	CALL(munmap),
	CALL(mremap),
	CALL(mprotect),
	CALL(madvise),
	/* time, chance, identity */
	CALL(clock_gettime),
	CALL(clock_getres),
	CALL(clock_nanosleep),
	CALL(nanosleep),
	CALL(gettimeofday),
	CALL(time),
	CALL(getrandom),
	CALL(getpid),
	CALL(gettid),
	CALL(getppid),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(uname),
	CALL(sysinfo),
	CALL(sched_yield),
	CALL(sched_getaffinity),
	CALL(getrusage),
	CALL(times),
	/* signals, locks, the end */
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(sigaltstack),
	CALL(restart_syscall),
	CALL(futex),
	CALL(set_robust_list),
	CALL(rseq),
	CALL(tgkill),
	CALL(exit),
	CALL(exit_group),
};

/** Opening is for reading alone */
static int allow_reading(scmp_filter_ctx ctx)
{
	int rc = seccomp_rule_add(
		ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
		SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));

	if (rc == 0) {
		rc = seccomp_rule_add(
			ctx, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	}
	return rc;
}

static int load_filter(void)
{
	/* What is not on the list fails as if it were not permitted. */
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = -ENOMEM;

	if (!ctx) return rc;
	rc = allow_reading(ctx);
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && rc == 0; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	if (rc == 0) rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}
#else
#define FILTERED false

static int load_filter(void)
{
	return -ENOSYS;
}
#endif

enum mfa_rc mfa_sandbox_enter(struct mfa_diag *diag)
{
	struct rlimit const none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		mfa_diag_set(diag, "sandbox: privileges cannot be given up");
		return MFA_ERR_DENIED;
	}
	if (FILTERED && load_filter() != 0) {
		mfa_diag_set(diag, "sandbox: the filter of system calls cannot be loaded");
		return MFA_ERR_DENIED;
	}
	return MFA_OK;
}
