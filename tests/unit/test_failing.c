/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each call of OpenSSL that core makes fails once, in turn: nothing is sealed, opened, hashed or
 * derived then, and nothing is said to be.  The functions here come before those of the library.
 */
#include "core/seal.h"
#include "unit.h"

#include <dlfcn.h>
#include <openssl/evp.h>

static unsigned calls, failing; /* the number of the call that fails; 0: none */

static bool fails(void)
{
	return ++calls == failing;
}

#define REAL(_name) ((__typeof__(&(_name)))dlsym(RTLD_NEXT, #_name))

#define ONE_OR_ZERO(_name, _parameters, ...)                                                       \
	int _name _parameters                                                                      \
	{                                                                                          \
		return fails() ? 0 : REAL(_name)(__VA_ARGS__);                                     \
	}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
ONE_OR_ZERO(EVP_EncryptInit_ex,
	    (EVP_CIPHER_CTX * ctx, EVP_CIPHER const *type, ENGINE *engine, unsigned char const *k,
	     unsigned char const *iv),
	    ctx, type, engine, k, iv)
ONE_OR_ZERO(EVP_DecryptInit_ex,
	    (EVP_CIPHER_CTX * ctx, EVP_CIPHER const *type, ENGINE *engine, unsigned char const *k,
	     unsigned char const *iv),
	    ctx, type, engine, k, iv)
ONE_OR_ZERO(EVP_EncryptUpdate,
	    (EVP_CIPHER_CTX * ctx, unsigned char *out, int *n, unsigned char const *in, int len),
	    ctx, out, n, in, len)
ONE_OR_ZERO(EVP_DecryptUpdate,
	    (EVP_CIPHER_CTX * ctx, unsigned char *out, int *n, unsigned char const *in, int len),
	    ctx, out, n, in, len)
ONE_OR_ZERO(EVP_EncryptFinal_ex, (EVP_CIPHER_CTX * ctx, unsigned char *out, int *n), ctx, out, n)
ONE_OR_ZERO(EVP_DecryptFinal_ex, (EVP_CIPHER_CTX * ctx, unsigned char *out, int *n), ctx, out, n)
ONE_OR_ZERO(EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX * ctx, int type, int arg, void *ptr), ctx, type,
	    arg, ptr)
ONE_OR_ZERO(EVP_PKEY_derive_init, (EVP_PKEY_CTX * ctx), ctx)
ONE_OR_ZERO(EVP_PKEY_derive, (EVP_PKEY_CTX * ctx, unsigned char *out, size_t *len), ctx, out, len)

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void)
{
	return fails() ? NULL : REAL(EVP_CIPHER_CTX_new)();
}

EVP_PKEY_CTX *EVP_PKEY_CTX_new_id(int id, ENGINE *engine)
{
	return fails() ? NULL : REAL(EVP_PKEY_CTX_new_id)(id, engine);
}

static uint8_t const key[MFA_KEY_SIZE] = {1, 2, 3};
static uint8_t box[16 + MFA_SEAL_OVERHEAD], plain[16], derived[MFA_KEY_SIZE];

static enum mfa_rc seal(void)
{
	return mfa_seal(box, sizeof(box), key, mfa_bytes_of("entry"),
			mfa_bytes_of("0123456789abcdef"));
}

static enum mfa_rc unseal(void)
{
	size_t len = 0;

	return mfa_unseal(plain, &len, sizeof(plain), key, mfa_bytes_of("entry"),
			  (struct mfa_bytes){box, sizeof(box)});
}

static enum mfa_rc derive(void)
{
	return mfa_derive(derived, key, "info");
}

/** Each call of a step fails in turn; how many there are */
static unsigned fail_each(enum mfa_rc (*step)(void))
{
	unsigned count;

	failing = calls = 0;
	assert_int_equal(step(), MFA_OK);
	count = calls;
	for (unsigned i = 1; i <= count; i++) {
		memset(plain, 0, sizeof(plain));
		calls = 0;
		failing = i;
		assert_int_equal(step(), MFA_ERR_CRYPTO);
		assert_zero(plain, sizeof(plain));
	}
	failing = calls = 0;
	assert_int_equal(step(), MFA_OK);
	return count;
}

static void no_failing_call_is_a_success(void **state)
{
	(void)state;
	assert_true(fail_each(seal) >= 6);
	assert_true(fail_each(unseal) >= 6);
	assert_true(fail_each(derive) >= 3);
}

int main(void)
{
	struct CMUnitTest const tests[] = {cmocka_unit_test(no_failing_call_is_a_success)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
