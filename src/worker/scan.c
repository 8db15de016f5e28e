#include "worker/scan.h"

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->text.len) {
        const char c = scan->text.ptr[scan->at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            return;
        }
        scan->at++;
    }
}

/* Takes `c` when it is next. */
static bool take(struct scan *scan, char c)
{
    if (scan->at < scan->text.len && scan->text.ptr[scan->at] == c) {
        scan->at++;
        return true;
    }
    return false;
}

static bool begin(struct scan *scan, struct str text, char bracket)
{
    *scan = (struct scan){.text = text, .first = true};
    skip_space(scan);
    scan->broken = !take(scan, bracket);
    return !scan->broken;
}

bool scan_object(struct scan *scan, struct str text)
{
    return begin(scan, text, '{');
}

bool scan_array(struct scan *scan, struct str text)
{
    return begin(scan, text, '[');
}

/* Past a string whose opening quote is next; the span has no quotes. */
static bool skip_string(struct scan *scan, struct str *out)
{
    if (!take(scan, '"')) {
        return false;
    }
    const size_t from = scan->at;
    while (scan->at < scan->text.len && scan->text.ptr[scan->at] != '"') {
        scan->at += scan->text.ptr[scan->at] == '\\' ? 2 : 1;
    }
    if (scan->at >= scan->text.len) {
        return false;
    }
    *out = str_slice(scan->text, from, scan->at);
    scan->at++;
    return true;
}

/* Past one value. Brackets are counted together: the server's writer matches them. */
static bool skip_value(struct scan *scan, struct str *out)
{
    const size_t from = scan->at;
    size_t depth = 0;
    struct str ignored;
    while (scan->at < scan->text.len) {
        const char c = scan->text.ptr[scan->at];
        if (c == '"') {
            if (!skip_string(scan, &ignored)) {
                return false;
            }
            continue;
        }
        const bool closes = c == '}' || c == ']';
        if (depth == 0 && (closes || c == ',')) {
            break;
        }
        depth += c == '{' || c == '[';
        depth -= closes;
        scan->at++;
    }
    *out = str_trim(str_slice(scan->text, from, scan->at));
    return depth == 0 && out->len > 0;
}

/* At the comma before the next member or at the end; true when a member follows. */
static bool advance(struct scan *scan, char close)
{
    if (scan->broken) {
        return false;
    }
    skip_space(scan);
    if (take(scan, close)) {
        return false;
    }
    if (!scan->first && !take(scan, ',')) {
        scan->broken = true;
        return false;
    }
    scan->first = false;
    skip_space(scan);
    return true;
}

bool scan_member(struct scan *scan, struct str *out_key, struct str *out_value)
{
    if (!advance(scan, '}')) {
        return false;
    }
    if (!skip_string(scan, out_key)) {
        scan->broken = true;
        return false;
    }
    skip_space(scan);
    if (!take(scan, ':')) {
        scan->broken = true;
        return false;
    }
    skip_space(scan);
    scan->broken = !skip_value(scan, out_value);
    return !scan->broken;
}

bool scan_item(struct scan *scan, struct str *out_value)
{
    if (!advance(scan, ']')) {
        return false;
    }
    scan->broken = !skip_value(scan, out_value);
    return !scan->broken;
}
