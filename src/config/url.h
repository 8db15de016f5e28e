/*
 * config/url - what is secret in the URL of a database.
 */
#ifndef CONFIG_URL_H
#define CONFIG_URL_H

#include "base/str.h"

enum { URL_SECRETS_MAX = 4 };

/* The passwords that the URL holds, in their order and as written there: that of its authority
 * ("postgres://user:HERE@host") and those of its query ("?password=HERE", "?sslpassword=HERE"). They
 * are parts of `url`. Returns how many; what has no "://" holds none. */
size_t url_secrets(struct str url, struct str out[URL_SECRETS_MAX]);

#endif
