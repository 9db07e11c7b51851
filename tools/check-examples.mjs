// Checks that every function and method that the umbrella `isthmus` exports has an @example in its doc comment.
// The examples themselves are run by test/examples.test.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { report, root, sourceFiles } from "./packages.mjs";

const index = readFileSync(join(root, "packages", "isthmus", "src", "index.ts"), "utf8");
const findings = [];
for (const [, names, owner] of index.matchAll(/export \{([^}]*)\} from "@isthmus\/([^"]+)";/g)) {
  const [folder] = owner.split("/");
  const sources = sourceFiles(folder).map((path) => [path, readFileSync(join(root, path), "utf8")]);
  for (const name of valuesOf(names)) {
    const comments = sources.flatMap(([path, text]) => commentOf(name, path, text));
    if (comments.length !== 1)
      findings.push(`${name} must be declared in one file of packages/${folder}: found ${comments.length}`);
    for (const { path, comment } of comments)
      if (!/@example\n[^@]*```ts\n/.test(comment)) findings.push(`${path}: ${name} must have an @example`);
  }
}
report("check-examples", findings);

/** Names in a list of exports that are values, not types. */
function valuesOf(list) {
  return list
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && !name.startsWith("type "));
}

/** The doc comment directly above the declaration of a name, empty if it has none; no item if it is not declared. */
function commentOf(name, path, text) {
  const declaration = new RegExp(`^export (?:async )?(?:function\\*?|const) ${name}\\b`, "m").exec(text);
  if (declaration === null) return [];
  const before = text.slice(0, declaration.index);
  const start = before.lastIndexOf("/**");
  return [{ path, comment: start >= 0 && before.trimEnd().endsWith("*/") ? before.slice(start) : "" }];
}
