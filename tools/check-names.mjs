// Checks that every name a package exports is needed outside it.
//
//   node tools/check-names.mjs [--equal]
//
// A name is needed if another package, a tool, a benchmark, an example or the package's README says it, or if the signature
// of a needed name has its type. With `--equal` it lists names that files of several packages export for different things.
import { report } from "./packages.mjs";
import { listEntries, listEqual, listUnneeded } from "./public-names.mjs";

/** Packages that still export names which nobody needs. */
const LATER = new Set(["curvature", "curve", "landscape", "paths", "study", "workers"]);
const entries = listEntries();
if (process.argv.includes("--equal")) {
  for (const [name, paths] of listEqual()) console.log(`${name}: ${paths.join(", ")}`);
} else {
  const unneeded = listUnneeded(entries);
  const dirty = new Set(unneeded.map(({ entry }) => entry.owner));
  report("check-names", [
    ...unneeded
      .filter(({ entry }) => !LATER.has(entry.owner))
      .map(
        ({ entry, name, at }) =>
          `${entry.path} exports ${name} of ${at.path}, which nothing outside the package needs: export it no more, or show its use in the README`,
      ),
    ...[...LATER]
      .filter((owner) => !dirty.has(owner))
      .map(
        (owner) =>
          `tools/check-names.mjs lists ${owner} in LATER, which exports no unneeded name: take it off`,
      ),
  ]);
}
