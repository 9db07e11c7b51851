// Writes NOTICE: whose work is installed with the packages of this repository. `--check` fails if it differs, or if a
// license is new.
//
//   node tools/write-notice.mjs [--check]
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { noticeOf } from "./notice.mjs";
import { packageNames, report, root } from "./packages.mjs";

/** Licenses under which packages may be installed with ours. */
const KNOWN = [
  "(Apache-2.0 AND BSD-3-Clause)",
  "(MIT AND Zlib)",
  "(MIT OR CC0-1.0)",
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "Unlicense",
];

const path = join(root, "NOTICE");
const notice = noticeOf(packageNames, { data: true });
const licenses = [...notice.matchAll(/^(\S.*)\n\n {2}/gm)].map(([, license]) => license);
const findings = licenses
  .filter((license) => !KNOWN.includes(license))
  .map(
    (license) =>
      `a package is under ${license}: see whether it may be installed with ours, then add it to KNOWN`,
  );
if (!process.argv.includes("--check")) writeFileSync(path, notice);
else if (readFileSync(path, "utf8") !== notice)
  findings.push("NOTICE is not of what is installed: run node tools/write-notice.mjs");
report("write-notice", findings);
