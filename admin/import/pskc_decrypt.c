/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/import/pskc_decrypt.h"

#include "core/openssl.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <stdlib.h>
#include <string.h>

#define BLOCK	       16u  /* AES: bytes of a block, and of the IV in front */
#define BOX_MAX	       256u /* IV and ciphertext of a secret or a MAC key */
#define SALT_MAX       64u
#define URI_MAX	       128
#define ITERATIONS_MAX 5000000
#define WRONG	       "wrong key or passphrase, or the file was changed"

struct mfa_cli_pskc {
	xmlDoc *doc;
	uint8_t key[32], mac_key[BOX_MAX];
	size_t key_len, mac_key_len;
	EVP_MD const *mac;
	struct mfa_diag problem; //!< Why nothing can be decrypted; empty: it can.
};

/** Some bytes out of a document, with an end */
struct box {
	uint8_t data[BOX_MAX];
	size_t len;
};

/* What XML calls an algorithm, and OpenSSL. */
static struct {
	char const *uri, *name;
} const algorithms[] = {
	{"http://www.w3.org/2001/04/xmlenc#aes128-cbc", SN_aes_128_cbc},
	{"http://www.w3.org/2001/04/xmlenc#aes192-cbc", SN_aes_192_cbc},
	{"http://www.w3.org/2001/04/xmlenc#aes256-cbc", SN_aes_256_cbc},
	{"http://www.w3.org/2000/09/xmldsig#hmac-sha1", SN_sha1},
	{"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", SN_sha256},
};

/* ---- the document; elements go by their local names, as libpskc has it */

static bool is_named(xmlNode const *node, char const *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((char const *)node->name, name) == 0;
}

static xmlNode *child(xmlNode const *parent, char const *name)
{
	xmlNode *node = parent ? parent->children : NULL;

	while (node && !is_named(node, name)) node = node->next;
	return node;
}

/** Go down by names separated by spaces */
static xmlNode *find(xmlNode *node, char const *path)
{
	struct mfa_bytes rest = mfa_bytes_of(path), word;
	char name[32];

	while (node && mfa_text_word(&word, &rest)) {
		(void)snprintf(name, sizeof(name), "%.*s", (int)word.len, word.data);
		node = child(node, name);
	}
	return node;
}

/** The n-th key package's secret */
static xmlNode *find_secret(struct mfa_cli_pskc const *pskc, unsigned package)
{
	xmlNode *node = xmlDocGetRootElement(pskc->doc)->children;

	for (; node; node = node->next) {
		if (is_named(node, "KeyPackage") && package-- == 0) break;
	}
	return find(node, "Key Data Secret");
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/** The text of an element without white space; to be freed */
static char *get_text(xmlNode const *node)
{
	char *text = node ? (char *)xmlNodeGetContent(node) : NULL;
	size_t n = 0;

	if (!text) return NULL;
	for (char const *at = text; *at; at++) {
		if (!is_space(*at)) text[n++] = *at;
	}
	text[n] = '\0';
	return text;
}

static bool get_base64(struct box *out, size_t max, xmlNode const *node)
{
	char *text = get_text(node);
	enum mfa_rc rc = MFA_ERR_NOT_FOUND;

	out->len = 0;
	if (text) rc = mfa_base64_decode(out->data, &out->len, max, mfa_bytes_of(text));
	xmlFree(text);
	return rc == MFA_OK && out->len > 0;
}

static bool get_number(int64_t *out, int64_t max, xmlNode const *node)
{
	char *text = get_text(node);
	enum mfa_rc rc = MFA_ERR_NOT_FOUND;

	if (text) rc = mfa_text_number(out, mfa_bytes_of(text), max);
	xmlFree(text);
	return rc == MFA_OK;
}

/** OpenSSL's name of an element's algorithm, or "", which is none
 *
 * @param[out] uri as the document has it; empty when it names none.
 */
static char const *get_algorithm(char uri[static URI_MAX], xmlNode *node)
{
	xmlChar *found = node ? xmlGetProp(node, (xmlChar const *)"Algorithm") : NULL;

	(void)snprintf(uri, URI_MAX, "%s", found ? (char const *)found : "");
	xmlFree(found);
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		if (strcmp(algorithms[i].uri, uri) == 0) return algorithms[i].name;
	}
	return "";
}

static EVP_MD const *get_mac(xmlNode *node, struct mfa_diag *diag)
{
	char uri[URI_MAX];
	EVP_MD const *mac = EVP_get_digestbyname(get_algorithm(uri, node));

	if (!mac)
		mfa_diag_set(diag, "encrypted, and %s '%s' is not known", (char const *)node->name,
			     uri);
	return mac;
}

static EVP_CIPHER const *get_cipher(xmlNode *value, struct mfa_diag *diag)
{
	char uri[URI_MAX];
	EVP_CIPHER const *cipher =
		EVP_get_cipherbyname(get_algorithm(uri, child(value, "EncryptionMethod")));

	if (!cipher) mfa_diag_set(diag, "encrypted by '%s', which is not known", uri);
	return cipher;
}

/* ---- decryption */

/** Undo CBC, and take off the padding of XML encryption, whose last byte is its length */
static bool decrypt_cbc(struct box *out, struct box const *in, EVP_CIPHER const *cipher,
			uint8_t const *key)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len = 0, end = 0;
	bool done = ctx && EVP_DecryptInit_ex(ctx, cipher, NULL, key, in->data) == 1 &&
		    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
		    EVP_DecryptUpdate(ctx, out->data, &len, in->data + BLOCK,
				      (int)(in->len - BLOCK)) == 1 &&
		    EVP_DecryptFinal_ex(ctx, out->data + len, &end) == 1 && len > 0;
	uint8_t const padding = done ? out->data[len - 1] : 0;

	EVP_CIPHER_CTX_free(ctx);
	if (padding == 0 || padding > BLOCK) return false;
	out->len = (size_t)len - padding;
	return true;
}

/** Decrypt an element that is an EncryptedData of XML encryption */
static bool decrypt(struct box *out, struct mfa_diag *diag, struct mfa_cli_pskc const *pskc,
		    xmlNode *value)
{
	EVP_CIPHER const *cipher = get_cipher(value, diag);
	struct box in;

	if (!cipher) return false;
	if ((size_t)EVP_CIPHER_get_key_length(cipher) != pskc->key_len) {
		mfa_diag_set(diag, "encrypted with a key of %d bytes, the one given has %zu",
			     EVP_CIPHER_get_key_length(cipher), pskc->key_len);
		return false;
	}
	if (!get_base64(&in, BOX_MAX, find(value, "CipherData CipherValue")) ||
	    in.len < 2 * BLOCK || in.len % BLOCK != 0) {
		mfa_diag_set(diag, "encrypted, and its CipherValue cannot be read");
		return false;
	}
	mfa_diag_set(diag, WRONG);
	return decrypt_cbc(out, &in, cipher, pskc->key);
}

/** Whether the ValueMAC is that of the CipherValue (section 6.1.1) */
static bool is_authentic(struct mfa_diag *diag, struct mfa_cli_pskc const *pskc, xmlNode *secret)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	struct box value, wanted;

	if (!get_base64(&wanted, BOX_MAX, child(secret, "ValueMAC"))) {
		mfa_diag_set(diag, "encrypted without a ValueMAC: refused");
		return false;
	}
	if (!get_base64(&value, BOX_MAX, find(secret, "EncryptedValue CipherData CipherValue"))) {
		mfa_diag_set(diag, "encrypted, and its CipherValue cannot be read");
		return false;
	}
	mfa_diag_set(diag, WRONG);
	return HMAC(pskc->mac, pskc->mac_key, (int)pskc->mac_key_len, value.data, value.len, mac,
		    &mac_len) &&
	       mac_len == wanted.len && CRYPTO_memcmp(mac, wanted.data, mac_len) == 0;
}

/* ---- keys */

/** PBKDF2 (section 6.2) */
static bool derive_key(struct mfa_cli_pskc *pskc, xmlNode *method, struct mfa_bytes passphrase)
{
	xmlNode *params = child(method, "PBKDF2-params"), *prf = child(params, "PRF");
	EVP_MD const *hash = prf && prf->properties ? get_mac(prf, &pskc->problem) : EVP_sha1();
	int64_t iterations = 0, len = BLOCK;
	struct box salt;

	if (!params) {
		mfa_diag_set(&pskc->problem, "encrypted, and its key derivation is not PBKDF2");
		return false;
	}
	if (!hash) return false;
	if (!get_base64(&salt, SALT_MAX, find(params, "Salt Specified")) ||
	    !get_number(&iterations, ITERATIONS_MAX, child(params, "IterationCount")) ||
	    iterations == 0 ||
	    (child(params, "KeyLength") &&
	     !get_number(&len, sizeof(pskc->key), child(params, "KeyLength"))) ||
	    len < (int64_t)BLOCK) {
		mfa_diag_set(&pskc->problem, "encrypted, and its PBKDF2-params cannot be used");
		return false;
	}
	pskc->key_len = (size_t)len;
	return PKCS5_PBKDF2_HMAC((char const *)passphrase.data, (int)passphrase.len, salt.data,
				 (int)salt.len, (int)iterations, hash, (int)len, pskc->key) == 1;
}

static bool set_key(struct mfa_cli_pskc *pskc, xmlNode *root,
		    struct mfa_cli_pskc_unlock const *unlock)
{
	xmlNode *method = find(root, "EncryptionKey DerivedKey KeyDerivationMethod");

	if (method && unlock->passphrase.len > 0)
		return derive_key(pskc, method, unlock->passphrase);
	if (method) {
		mfa_diag_set(&pskc->problem, "encrypted with a passphrase: give --pskc-password");
	} else if (!find(root, "EncryptionKey KeyName")) {
		mfa_diag_set(&pskc->problem, "encrypted, neither with a pre-shared key nor with a "
					     "passphrase: cannot be read");
	} else if (unlock->key.len < BLOCK || unlock->key.len > sizeof(pskc->key)) {
		mfa_diag_set(&pskc->problem, "encrypted with a pre-shared key: give --pskc-key");
	} else {
		memcpy(pskc->key, unlock->key.data, unlock->key.len);
		pskc->key_len = unlock->key.len;
		return true;
	}
	return false;
}

/** The key of the MACs, which is encrypted itself */
static bool set_mac_key(struct mfa_cli_pskc *pskc, xmlNode *method)
{
	struct box key = {.len = 0};
	xmlNode *value = child(method, "MACKey");
	bool done;

	if (!value) {
		mfa_diag_set(&pskc->problem, "encrypted without a MACKey: refused");
		return false;
	}
	pskc->mac = get_mac(method, &pskc->problem);
	done = pskc->mac && decrypt(&key, &pskc->problem, pskc, value);
	if (done) {
		memcpy(pskc->mac_key, key.data, key.len);
		pskc->mac_key_len = key.len;
	}
	OPENSSL_cleanse(&key, sizeof(key));
	return done;
}

/* ---- the whole */

enum mfa_rc mfa_cli_pskc_open(struct mfa_cli_pskc **pskc, struct mfa_diag *diag,
			      struct mfa_bytes text, struct mfa_cli_pskc_unlock const *unlock)
{
	struct mfa_cli_pskc *opened = calloc(1, sizeof(*opened));
	xmlNode *root = NULL;

	*pskc = NULL;
	if (!opened) return MFA_ERR_NOMEM;
	opened->doc = xmlReadMemory((char const *)text.data, (int)text.len, NULL, NULL,
				    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (opened->doc) root = xmlDocGetRootElement(opened->doc);
	/* A document type can pull in files and swell without end; nobody needs one here. */
	if (!root || !is_named(root, "KeyContainer") || xmlGetIntSubset(opened->doc)) {
		mfa_diag_set(diag, "not a PSKC file (RFC 6030)");
		mfa_cli_pskc_free(&opened);
		return MFA_ERR_FORMAT;
	}
	mfa_diag_set(&opened->problem, WRONG);
	if (set_key(opened, root, unlock) && set_mac_key(opened, child(root, "MACMethod")))
		opened->problem.text[0] = '\0';
	*pskc = opened;
	return MFA_OK;
}

void mfa_cli_pskc_free(struct mfa_cli_pskc **pskc)
{
	if (!*pskc) return;
	xmlFreeDoc((*pskc)->doc);
	OPENSSL_cleanse(*pskc, sizeof(**pskc));
	free(*pskc);
	*pskc = NULL;
}

static void drop(xmlNode *node)
{
	if (!node) return;
	xmlUnlinkNode(node);
	xmlFreeNode(node);
}

enum mfa_rc mfa_cli_pskc_rest(struct mfa_bytes *text, struct mfa_cli_pskc const *pskc)
{
	struct mfa_cli_pskc copy = {.doc = xmlCopyDoc(pskc->doc, 1)};
	xmlNode *root = copy.doc ? xmlDocGetRootElement(copy.doc) : NULL;
	xmlChar *dumped = NULL;
	int len = 0;

	if (root) {
		drop(child(root, "EncryptionKey"));
		drop(child(root, "MACMethod"));
		for (xmlNode *node = root->children; node; node = node->next) {
			xmlNode *secret =
				is_named(node, "KeyPackage") ? find(node, "Key Data Secret") : NULL;

			drop(child(secret, "EncryptedValue"));
			drop(child(secret, "ValueMAC"));
		}
		xmlDocDumpMemory(copy.doc, &dumped, &len);
	}
	xmlFreeDoc(copy.doc);
	*text = (struct mfa_bytes){dumped, dumped ? (size_t)len : 0};
	return dumped ? MFA_OK : MFA_ERR_NOMEM;
}

void mfa_cli_pskc_free_rest(struct mfa_bytes *text)
{
	xmlChar *data = (xmlChar *)(uintptr_t)text->data;

	if (data) OPENSSL_cleanse(data, text->len);
	xmlFree(data);
	*text = (struct mfa_bytes){0};
}

enum mfa_rc mfa_cli_pskc_secret(uint8_t *out, size_t *out_len, size_t out_size,
				struct mfa_diag *diag, struct mfa_cli_pskc const *pskc,
				unsigned package)
{
	xmlNode *secret = find_secret(pskc, package), *value = child(secret, "EncryptedValue");
	struct box box = {.len = 0};
	enum mfa_rc rc = MFA_ERR_CRYPTO;

	*out_len = 0;
	if (!value) {
		mfa_diag_set(diag, "there is no secret");
		return MFA_ERR_NOT_FOUND;
	}
	if (pskc->problem.text[0]) {
		*diag = pskc->problem;
		return rc;
	}
	if (!is_authentic(diag, pskc, secret) || !decrypt(&box, diag, pskc, value)) goto out;
	if (box.len > out_size) {
		mfa_diag_set(diag, "the secret has %zu bytes, at most %zu are known", box.len,
			     out_size);
		rc = MFA_ERR_FORMAT;
		goto out;
	}
	memcpy(out, box.data, box.len);
	*out_len = box.len;
	rc = MFA_OK;
out:
	OPENSSL_cleanse(&box, sizeof(box));
	return rc;
}
