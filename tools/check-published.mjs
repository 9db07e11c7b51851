// Checks what npm would publish of every package: that package.json leads to files that are there and in the format
// that it says (publint), that programs in TypeScript find the types (arethetypeswrong), that a license and a notice are in it,
// and that it is no larger than its budget.
//
//   node tools/check-published.mjs
//
// All are checked in one process, as the checkers take longer to start than to check a package.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { packPackages } from "./pack-packages.mjs";
import { packageNames, readManifest, report } from "./packages.mjs";
import { findExcess, measureTarball, tarballOf } from "./tarballs.mjs";

/** How programs resolve modules that are no business of packages of ES modules alone. */
const IGNORED = ["node10", "node16-cjs"];

const folder = packPackages();
const findings = [];
const tarballs = new Set(readdirSync(folder));
for (const name of packageNames) {
  const manifest = readManifest(name);
  const file = tarballOf(manifest);
  if (!tarballs.delete(file)) findings.push(`packages/${name} was not packed as ${file}`);
  else for (const problem of await check(name, manifest, file)) findings.push(`packages/${name}: ${problem}`);
}
for (const file of tarballs) findings.push(`${file} is of no package under packages/`);
report("check-published", findings);

/** Says what is wrong with one package. */
async function check(name, manifest, file) {
  const bytes = new Uint8Array(readFileSync(join(folder, file)));
  const measured = measureTarball(name, bytes);
  const paths = measured.files.map(({ path }) => path);
  const { messages } = await publint({ pack: { tarball: bytes.buffer }, level: "error" });
  const { types, problems = [] } = await checkPackage(createPackageFromTarballData(bytes));
  return [
    ...["LICENSE", "NOTICE", "README.md"]
      .filter((part) => !paths.includes(`package/${part}`))
      .map((part) => `has no ${part}`),
    ...findExcess(measured),
    ...messages.map((message) => formatMessage(message, manifest, { color: false })),
    ...(types === false ? ["has no types"] : []),
    ...problems
      .filter(({ resolutionKind }) => !IGNORED.includes(resolutionKind))
      .map((one) => JSON.stringify(one)),
  ];
}
