// Checks what npm would publish of every package: that package.json leads to files that are there and in the format
// that it says (publint), and that programs in TypeScript find the types (arethetypeswrong).
//
//   node tools/check-published.mjs
//
// All are checked in one process, as the checkers take longer to start than to check a package.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { packageNames, readManifest, report, root } from "./packages.mjs";

/** How programs resolve modules that are no business of packages of ES modules alone. */
const IGNORED = ["node10", "node16-cjs"];

const folder = mkdtempSync(join(tmpdir(), "isthmus-tarballs-"));
const findings = [];
try {
  const packing = ["pack", "--workspaces", "--silent", "--pack-destination", folder];
  execFileSync("npm", packing, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  const tarballs = new Set(readdirSync(folder));
  for (const name of packageNames) {
    const manifest = readManifest(name);
    const file = `${manifest.name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`;
    if (!tarballs.delete(file)) findings.push(`packages/${name} was not packed as ${file}`);
    else for (const problem of await check(manifest, file)) findings.push(`packages/${name}: ${problem}`);
  }
  for (const file of tarballs) findings.push(`${file} is of no package under packages/`);
} finally {
  rmSync(folder, { recursive: true });
}
report("check-published", findings);

/** Says what is wrong with one package. */
async function check(manifest, file) {
  const bytes = new Uint8Array(readFileSync(join(folder, file)));
  const { messages } = await publint({ pack: { tarball: bytes.buffer }, level: "error" });
  const { types, problems = [] } = await checkPackage(createPackageFromTarballData(bytes));
  return [
    ...messages.map((message) => formatMessage(message, manifest, { color: false })),
    ...(types === false ? ["has no types"] : []),
    ...problems
      .filter(({ resolutionKind }) => !IGNORED.includes(resolutionKind))
      .map((one) => JSON.stringify(one)),
  ];
}
