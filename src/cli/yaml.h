/*
 * cli/yaml - JSON values as YAML 1.1 in block style, through libyaml.
 *
 * Use      cli_yaml_print() writes one document. A text that YAML would read as something else
 *          (true, 12, ~, an empty one) is quoted, so that what is read back is what was written.
 * Bounds   nesting of JSON_DEPTH_MAX; what lies deeper is left out as null.
 */
#ifndef CLI_YAML_H
#define CLI_YAML_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/str.h"

void cli_yaml_print(const json_t *value, FILE *out);
/* Whether a text may stand without quotes. */
bool cli_yaml_is_plain(struct str text);

#endif
