/*
 * rule - the format rules that the tolerant reader checks; breaking one is a warning.
 *
 * Source   each rule names the chapter it comes from; names are stable, tools may filter by them.
 */
#ifndef WORKERS_LIB_RULE_H
#define WORKERS_LIB_RULE_H

/* clang-format off */
#define RULES(X)                                                                                   \
    X(DOCUMENT_BYTE_ORDER_MARK, "document.byte-order-mark", "JSON and YAML texts here begin without a byte order mark (RFC 8259, 8.1).") \
    X(DOCUMENT_DUPLICATE_KEY, "document.duplicate-key", "Member names of an object are unique (RFC 8259, 4); the last one counts.") \
    X(DOCUMENT_YAML, "document.yaml", "This format is JSON; YAML was read as if it were.") \
    X(TIME_FORMAT, "time.format", "Moments are RFC 3339 date-times.") \
    X(PURL_FORMAT, "purl.format", "A package URL follows the purl specification; this one cannot be matched.") \
    X(OSV_SCHEMA_VERSION, "osv.schema-version", "schema_version is a version text (OSV).") \
    X(OSV_ID, "osv.id", "The id begins with a database prefix and a hyphen (OSV, id).") \
    X(OSV_MODIFIED, "osv.modified", "modified is required and a UTC date-time (OSV, modified).") \
    X(OSV_PUBLISHED, "osv.published", "published is a UTC date-time (OSV, published).") \
    X(OSV_WITHDRAWN, "osv.withdrawn", "withdrawn is a UTC date-time (OSV, withdrawn).") \
    X(OSV_UNKNOWN_MEMBER, "osv.unknown-member", "The top level has only members that OSV defines.") \
    X(OSV_ALIASES, "osv.aliases", "aliases are distinct non-empty texts (OSV, aliases).") \
    X(OSV_PACKAGE, "osv.package", "An affected entry names a package or has GIT ranges (OSV, affected[]).") \
    X(OSV_PACKAGE_PURL, "osv.package-purl", "package.purl is a package URL of that package (OSV, package).") \
    X(OSV_ECOSYSTEM, "osv.ecosystem", "The ecosystem is one of the defined names (OSV, ecosystem).") \
    X(OSV_RANGE_TYPE, "osv.range-type", "A range's type is SEMVER, ECOSYSTEM or GIT (OSV, ranges[].type).") \
    X(OSV_RANGE_REPO, "osv.range-repo", "A GIT range names its repository (OSV, ranges[].repo).") \
    X(OSV_EVENTS, "osv.events", "A range has at least one event (OSV, events).") \
    X(OSV_EVENT, "osv.event", "An event is exactly one of introduced, fixed, last_affected, limit (OSV, events).") \
    X(OSV_EVENT_VERSION, "osv.event-version", "An event's version can be read by the range's scheme.") \
    X(OSV_INTRODUCED, "osv.introduced", "A range has at least one introduced event (OSV, events).") \
    X(OSV_FIXED_AND_LAST, "osv.fixed-and-last-affected", "A range does not mix fixed and last_affected (OSV, events).") \
    X(OSV_VERSION_TYPE, "osv.version-type", "Versions are texts; a number was taken as its text.") \
    X(OSV_SEVERITY, "osv.severity", "A severity is {type, score} with a vector of its type (OSV, severity[]).") \
    X(OSV_REFERENCE, "osv.reference", "A reference has a known type and a URL (OSV, references[]).") \
    X(OSV_CREDIT, "osv.credit", "A credit has a name (OSV, credits[]).") \
    X(CSAF_VERSION, "csaf.version", "csaf_version is 2.0; another 2.x was read as far as it agrees.") \
    X(CSAF_CATEGORY, "csaf.category", "document.category is required (CSAF 2.0, 3.2.1.3).") \
    X(CSAF_TITLE, "csaf.title", "document.title is required (CSAF 2.0, 3.2.1.11).") \
    X(CSAF_PUBLISHER, "csaf.publisher", "document.publisher has category, name and namespace (CSAF 2.0, 3.2.1.8).") \
    X(CSAF_STATUS, "csaf.tracking-status", "tracking.status is draft, interim or final (CSAF 2.0, 3.2.1.12.7).") \
    X(CSAF_DATES, "csaf.tracking-dates", "tracking has initial and current release dates (CSAF 2.0, 3.2.1.12).") \
    X(CSAF_TRACKING_VERSION, "csaf.tracking-version", "tracking.version is an integer or semantic version (CSAF 2.0, 3.1.11).") \
    X(CSAF_FILENAME, "csaf.filename", "The file is named after the tracking id (CSAF 2.0, 5.1).") \
    X(CSAF_LANG, "csaf.6.1.12", "A language is a tag of a known language (CSAF 2.0, 6.1.12).") \
    X(CSAF_MISSING_DEFINITION, "csaf.6.1.1", "Every product id used is defined (CSAF 2.0, 6.1.1).") \
    X(CSAF_DUPLICATE_PRODUCT, "csaf.6.1.2", "A product id is defined once (CSAF 2.0, 6.1.2).") \
    X(CSAF_CIRCULAR, "csaf.6.1.3", "Product relationships form no circle (CSAF 2.0, 6.1.3).") \
    X(CSAF_MISSING_GROUP, "csaf.6.1.4", "Every product group used is defined (CSAF 2.0, 6.1.4).") \
    X(CSAF_DUPLICATE_GROUP, "csaf.6.1.5", "A product group is defined once (CSAF 2.0, 6.1.5).") \
    X(CSAF_CONTRADICTION, "csaf.6.1.6", "A product has one status per vulnerability (CSAF 2.0, 6.1.6).") \
    X(CSAF_MULTIPLE_SCORES, "csaf.6.1.7", "A product has one score of a CVSS version per vulnerability (CSAF 2.0, 6.1.7).") \
    X(CSAF_CVSS, "csaf.6.1.8", "A CVSS object has version, vector, base score and severity that fit its version (CSAF 2.0, 6.1.8).") \
    X(CSAF_CVSS_RANGE, "csaf.6.1.9", "The base score follows from the vector, the severity from the score (CSAF 2.0, 6.1.9).") \
    X(CSAF_CVSS_VECTOR, "csaf.6.1.10", "CVSS properties agree with the vector (CSAF 2.0, 6.1.10).") \
    X(CSAF_CWE, "csaf.6.1.11", "A CWE has the form CWE-n and a name (CSAF 2.0, 6.1.11).") \
    X(CSAF_PURL, "csaf.6.1.13", "A purl of the product tree is a package URL (CSAF 2.0, 6.1.13).") \
    X(CSAF_HISTORY_ORDER, "csaf.6.1.14", "Revision numbers ascend with their dates (CSAF 2.0, 6.1.14).") \
    X(CSAF_TRANSLATOR, "csaf.6.1.15", "A translator names the source language (CSAF 2.0, 6.1.15).") \
    X(CSAF_LATEST_VERSION, "csaf.6.1.16", "tracking.version is the newest revision number (CSAF 2.0, 6.1.16).") \
    X(CSAF_DRAFT, "csaf.6.1.17", "Versions 0 and 0.y.z and pre-releases are drafts (CSAF 2.0, 6.1.17).") \
    X(CSAF_RELEASED_ZERO, "csaf.6.1.18", "A released document has no revision 0 or 0.y.z (CSAF 2.0, 6.1.18).") \
    X(CSAF_HISTORY_PRE, "csaf.6.1.19", "Revision numbers have no pre-release part (CSAF 2.0, 6.1.19).") \
    X(CSAF_NON_DRAFT_PRE, "csaf.6.1.20", "A released document's version has no pre-release part (CSAF 2.0, 6.1.20).") \
    X(CSAF_HISTORY_GAP, "csaf.6.1.21", "Revision numbers have no gaps (CSAF 2.0, 6.1.21).") \
    X(CSAF_HISTORY_DUPLICATE, "csaf.6.1.22", "A revision number occurs once (CSAF 2.0, 6.1.22).") \
    X(CSAF_DUPLICATE_CVE, "csaf.6.1.23", "A CVE occurs in one vulnerability only (CSAF 2.0, 6.1.23).") \
    X(CSAF_INVOLVEMENT, "csaf.6.1.24", "A party has one involvement per date (CSAF 2.0, 6.1.24).") \
    X(CSAF_DUPLICATE_HASH, "csaf.6.1.25", "A file's hash algorithm occurs once (CSAF 2.0, 6.1.25).") \
    X(CSAF_PROHIBITED_CATEGORY, "csaf.6.1.26", "A category does not imitate a profile's name (CSAF 2.0, 6.1.26).") \
    X(CSAF_PROFILE, "csaf.6.1.27", "The profile that the category names is kept (CSAF 2.0, 6.1.27).") \
    X(CSAF_TRANSLATION, "csaf.6.1.28", "source_lang differs from lang (CSAF 2.0, 6.1.28).") \
    X(CSAF_REMEDIATION_PRODUCT, "csaf.6.1.29", "A remediation names products or groups (CSAF 2.0, 6.1.29).") \
    X(CSAF_MIXED_VERSIONING, "csaf.6.1.30", "Revisions use one version scheme (CSAF 2.0, 6.1.30).") \
    X(CSAF_VERSION_RANGE, "csaf.6.1.31", "A product_version branch names one version (CSAF 2.0, 6.1.31).") \
    X(CSAF_FLAG_PRODUCT, "csaf.6.1.32", "A flag names products or groups (CSAF 2.0, 6.1.32).") \
    X(CSAF_FLAG_VEX, "csaf.6.1.33", "A product has one VEX justification (CSAF 2.0, 6.1.33).") \
    X(CSAF_FLAG_LABEL, "csaf.flag-label", "A flag's label is one of the defined ones (CSAF 2.0, 3.2.3.5).") \
    X(CSAF_CVE, "csaf.cve", "cve has the form CVE-year-number (CSAF 2.0, 3.2.3.2).") \
    X(CSAF_SHAPE, "csaf.shape", "A member has the type that the schema gives it.") \
    X(OPENVEX_CONTEXT, "openvex.context", "@context is the namespace of an OpenVEX version (OpenVEX, document).") \
    X(OPENVEX_ID, "openvex.id", "@id is required and an IRI (OpenVEX, document).") \
    X(OPENVEX_AUTHOR, "openvex.author", "author is required (OpenVEX, document).") \
    X(OPENVEX_TIMESTAMP, "openvex.timestamp", "timestamp is required and a date-time (OpenVEX, document).") \
    X(OPENVEX_VERSION, "openvex.version", "version is an integer from 1 (OpenVEX, document).") \
    X(OPENVEX_STATEMENTS, "openvex.statements", "A document makes at least one statement (OpenVEX, document).") \
    X(OPENVEX_PRODUCTS, "openvex.products", "A statement names its products (OpenVEX, statement).") \
    X(OPENVEX_PRODUCT_ID, "openvex.product-id", "A product has an @id or an identifier (OpenVEX, product).") \
    X(OPENVEX_JUSTIFICATION, "openvex.justification", "not_affected has a justification or an impact statement, of the defined words (OpenVEX, justification).") \
    X(OPENVEX_ACTION, "openvex.action-statement", "affected has an action statement (OpenVEX, statement).") \
    X(OPENVEX_UNKNOWN_MEMBER, "openvex.unknown-member", "A statement has only members that OpenVEX defines.") \
    X(CYCLONEDX_SPEC_VERSION, "cyclonedx.spec-version", "specVersion is 1.2 to 1.7; another 1.x was read as far as it agrees.") \
    X(CYCLONEDX_SERIAL, "cyclonedx.serial-number", "serialNumber is urn:uuid: and a UUID (CycloneDX).") \
    X(CYCLONEDX_VERSION, "cyclonedx.version", "version is an integer from 1 (CycloneDX).") \
    X(CYCLONEDX_TIMESTAMP, "cyclonedx.timestamp", "metadata.timestamp is a date-time (CycloneDX).") \
    X(CYCLONEDX_UNKNOWN_MEMBER, "cyclonedx.unknown-member", "The top level has only members that CycloneDX defines.") \
    X(CYCLONEDX_COMPONENT_NAME, "cyclonedx.component-name", "A component has a name (CycloneDX, component).") \
    X(CYCLONEDX_COMPONENT_TYPE, "cyclonedx.component-type", "A component's type is one of the defined words (CycloneDX, component).") \
    X(CYCLONEDX_COMPONENT_SCOPE, "cyclonedx.component-scope", "A component's scope is required, optional or excluded (CycloneDX, component).") \
    X(CYCLONEDX_BOM_REF, "cyclonedx.bom-ref", "A bom-ref is a non-empty text (CycloneDX, bom-ref).") \
    X(CYCLONEDX_DUPLICATE_REF, "cyclonedx.duplicate-bom-ref", "A bom-ref is unique in its document (CycloneDX, bom-ref).") \
    X(CYCLONEDX_DEPENDENCY, "cyclonedx.dependency", "A dependency has a ref (CycloneDX, dependencies).") \
    X(CYCLONEDX_DANGLING_REF, "cyclonedx.dangling-ref", "A dependency's ref leads to an element of the document.") \
    X(CYCLONEDX_HASH, "cyclonedx.hash", "A hash has a known algorithm and hexadecimal content of a digest's length (CycloneDX, hashes).") \
    X(CYCLONEDX_LICENSE, "cyclonedx.license", "Licences are licence objects with id or name, or one expression (CycloneDX, licenses).") \
    X(CYCLONEDX_ATTACHMENT, "cyclonedx.attachment", "An attached text is plain or base64 (CycloneDX, attachment).") \
    X(CYCLONEDX_SWID, "cyclonedx.swid", "A SWID tag has a tagId and a name (CycloneDX, swid).") \
    X(CYCLONEDX_PEDIGREE, "cyclonedx.pedigree", "Patches and issues have types of the defined words (CycloneDX, pedigree).") \
    X(CYCLONEDX_SERVICE_DATA, "cyclonedx.service-data", "A data flow is of the defined words (CycloneDX, services).") \
    X(CYCLONEDX_PROPERTY, "cyclonedx.property", "A property has a name (CycloneDX, properties).") \
    X(CYCLONEDX_CONTACT, "cyclonedx.contact", "A contact's e-mail is an address (CycloneDX, contact).") \
    X(CYCLONEDX_SHAPE, "cyclonedx.shape", "A member has the type that the schema gives it.") \
    X(CYCLONEDX_ANALYSIS, "cyclonedx.analysis", "A vulnerability's analysis has a state of the defined words; without one nothing is stated (CycloneDX, analysis).") \
    X(CYCLONEDX_JUSTIFICATION, "cyclonedx.justification", "A justification is one of the defined words (CycloneDX, analysis).") \
    X(CYCLONEDX_AFFECTS, "cyclonedx.affects", "A vulnerability names what it affects, with a ref (CycloneDX, affects).") \
    X(CYCLONEDX_AFFECTS_DANGLING, "cyclonedx.affects-dangling", "A ref without a BOM link leads to an element of the document.") \
    X(SPDX_VERSION, "spdx.version", "spdxVersion is SPDX-2.2 or SPDX-2.3; another 2.x was read as far as it agrees.") \
    X(SPDX_DOCUMENT_ID, "spdx.document-id", "The document's SPDXID is SPDXRef-DOCUMENT (SPDX 2.3, 6.3).") \
    X(SPDX_NAME, "spdx.name", "The document has a name (SPDX 2.3, 6.4).") \
    X(SPDX_NAMESPACE, "spdx.namespace", "documentNamespace is a URI without fragment (SPDX 2.3, 6.5).") \
    X(SPDX_DATA_LICENSE, "spdx.data-license", "dataLicense is CC0-1.0 (SPDX 2.3, 6.2).") \
    X(SPDX_CREATION, "spdx.creation-info", "creationInfo has creators and a moment (SPDX 2.3, 6.8 and 6.9).") \
    X(SPDX_PACKAGE_ID, "spdx.package-id", "A package has an SPDXID of the form SPDXRef-... (SPDX 2.3, 7.2).") \
    X(SPDX_DUPLICATE_ID, "spdx.duplicate-id", "An SPDXID is unique in its document (SPDX 2.3, 7.2).") \
    X(SPDX_PACKAGE_NAME, "spdx.package-name", "A package has a name (SPDX 2.3, 7.1).") \
    X(SPDX_DOWNLOAD, "spdx.download-location", "A package has a downloadLocation (SPDX 2.3, 7.7).") \
    X(SPDX_LICENSE_TEXT, "spdx.package-licensing", "SPDX 2.2 packages have licenseConcluded, licenseDeclared and copyrightText (SPDX 2.2, 3.13-3.17).") \
    X(SPDX_VERIFICATION, "spdx.verification-code", "Analysed files need a verification code (SPDX 2.3, 7.9).") \
    X(SPDX_CHECKSUM, "spdx.checksum", "A checksum has a known algorithm and a hexadecimal value (SPDX 2.3, 7.10).") \
    X(SPDX_EXTERNAL_REF, "spdx.external-ref", "An external reference has category, type and locator (SPDX 2.3, 7.21).") \
    X(SPDX_RELATIONSHIP, "spdx.relationship", "A relationship has a known type and two ends (SPDX 2.3, 11).") \
    X(SPDX_DANGLING, "spdx.dangling-ref", "A relationship's ends are elements of the document (SPDX 2.3, 11).") \
    X(SPDX_CYCLE, "spdx.containment-cycle", "No element contains or depends on itself, directly or through others.") \
    X(SPDX_DESCRIBES, "spdx.describes", "The document describes at least one element (SPDX 2.3, 11).") \
    X(SPDX_SHAPE, "spdx.shape", "A member has the type that the schema gives it.")
/* clang-format on */

#define RULE_ENUM(id, name, sentence) RULE_##id,

enum rule { RULES(RULE_ENUM) RULE_COUNT };

#undef RULE_ENUM

struct rule_info {
    const char *name;     /* "csaf.6.1.2" */
    const char *sentence; /* What the rule asks for. */
};

const struct rule_info *rule_info(enum rule rule);

#endif
