// Forbids the pages of the documents, by their own head, to load anything from other hosts or to run other scripts than their own.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Scripts that stand in a page, whose contents are text before any end of a script. */
const INLINE = /<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g;
/** What VitePress writes first into every head; what forbids must stand before all that loads. */
const FIRST = '<meta charset="utf-8">';

/** Writes the policy into the pages of a folder. */
export function restrictPages(folder: string): void {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".html"),
  );
  for (const path of paths.map((name) => join(folder, name))) {
    const text = readFileSync(path, "utf8");
    // Pages of results have a policy of their own.
    if (text.includes("Content-Security-Policy")) continue;
    if (!text.includes(FIRST)) throw new Error(`${path} must have ${FIRST} in its head`);
    writeFileSync(path, text.replace(FIRST, `${FIRST}\n    ${policyOf(text)}`));
  }
}

function policyOf(text: string): string {
  const hashes = [...text.matchAll(INLINE)].map(
    ([, script = ""]) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`,
  );
  const rules = [
    "default-src 'none'",
    `script-src 'self' ${[...new Set(hashes)].join(" ")}`.trim(),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ];
  return `<meta http-equiv="Content-Security-Policy" content="${rules.join("; ")}">`;
}
