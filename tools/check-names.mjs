// Checks that every name a package exports is needed outside it.
//
//   node tools/check-names.mjs [--equal]
//
// A name is needed if another package, a tool, a benchmark, an example or the package's README says it, or if the signature
// of a needed name has its type. With `--equal` it lists names that files of several packages export for different things.
import { report } from "./packages.mjs";
import { listEntries, listEqual, listUnneeded } from "./public-names.mjs";

if (process.argv.includes("--equal")) {
  for (const [name, paths] of listEqual()) console.log(`${name}: ${paths.join(", ")}`);
} else {
  report(
    "check-names",
    listUnneeded(listEntries()).map(
      ({ entry, name, at }) =>
        `${entry.path} exports ${name} of ${at.path}, which nothing outside the package needs: export it no more, or show its use in the README`,
    ),
  );
}
