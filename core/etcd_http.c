/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/etcd_http.h"

#include <curl/curl.h>
#include <openssl/crypto.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX 32768u

struct mfa_etcd {
	CURL *curl;
	char error[CURL_ERROR_SIZE];
	size_t len;
	char text[ANSWER_MAX + 1];
};

static void set_up_curl(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/** Keep what arrives; libcurl takes another number than it gave for a failure */
static size_t keep(char *data, size_t size, size_t count, void *uctx)
{
	struct mfa_etcd *etcd = uctx;
	size_t const len = size * count;

	if (len > ANSWER_MAX - etcd->len) return 0;
	memcpy(etcd->text + etcd->len, data, len);
	etcd->len += len;
	etcd->text[etcd->len] = '\0';
	return len;
}

/** What holds for every question */
static bool set_options(struct mfa_etcd *etcd, struct mfa_config const *config)
{
	CURL *curl = etcd->curl;

	return curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ==
		       CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, etcd->error) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEDATA, etcd) == CURLE_OK &&
	       (!config->ledger_ca_file[0] ||
		(curl_easy_setopt(curl, CURLOPT_CAINFO, config->ledger_ca_file) == CURLE_OK &&
		 curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK));
}

struct mfa_etcd *mfa_etcd_alloc(struct mfa_config const *config)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct mfa_etcd *etcd;

	if (pthread_once(&once, set_up_curl) != 0) return NULL;
	etcd = calloc(1, sizeof(*etcd));
	if (!etcd) return NULL;
	etcd->curl = curl_easy_init();
	if (!etcd->curl || !set_options(etcd, config)) mfa_etcd_free(&etcd);
	return etcd;
}

void mfa_etcd_free(struct mfa_etcd **etcd)
{
	if (!*etcd) return;
	if ((*etcd)->curl) curl_easy_cleanup((*etcd)->curl);
	OPENSSL_cleanse((*etcd)->text, sizeof((*etcd)->text));
	free(*etcd);
	*etcd = NULL;
}

/** Set what differs from question to question */
static bool set_question(struct mfa_etcd *etcd, char const *url, struct curl_slist *headers,
			 char const *body, long limit_ms)
{
	CURL *curl = etcd->curl;

	return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body)) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, limit_ms) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, limit_ms) == CURLE_OK;
}

static struct curl_slist *make_headers(char const *token)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	char *line = NULL;

	if (!headers || !token[0]) return headers;
	if (asprintf(&line, "Authorization: %s", token) >= 0) {
		struct curl_slist *more = curl_slist_append(headers, line);

		if (more) headers = more;
		OPENSSL_cleanse(line, strlen(line));
		free(line);
	}
	return headers;
}

/** Whether a request may have arrived, when no answer did */
static bool may_have_arrived(CURL *curl, CURLcode code)
{
	curl_off_t wrote = 0;
	long bytes = 0;

	if (code == CURLE_OK) return true;
	(void)curl_easy_getinfo(curl, CURLINFO_SIZE_UPLOAD_T, &wrote);
	(void)curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &bytes);
	return wrote > 0 || bytes > 0;
}

void mfa_http_post(struct mfa_http_answer *answer, struct mfa_etcd *etcd, char const *url,
		   char const *token, char const *body, long limit_ms)
{
	struct curl_slist *headers = make_headers(token);
	CURLcode code = CURLE_OUT_OF_MEMORY;

	*answer = (struct mfa_http_answer){.text = etcd->text, .error = etcd->error};
	etcd->len = 0;
	etcd->text[0] = etcd->error[0] = '\0';
	if (headers && set_question(etcd, url, headers, body, limit_ms)) {
		code = curl_easy_perform(etcd->curl);
		answer->sent = may_have_arrived(etcd->curl, code);
	}
	if (code == CURLE_OK)
		(void)curl_easy_getinfo(etcd->curl, CURLINFO_RESPONSE_CODE, &answer->status);
	if (code != CURLE_OK && !etcd->error[0]) answer->error = curl_easy_strerror(code);
	(void)curl_easy_setopt(etcd->curl, CURLOPT_HTTPHEADER, NULL);
	(void)curl_easy_setopt(etcd->curl, CURLOPT_POSTFIELDS, NULL);
	curl_slist_free_all(headers);
}
