// Verifies every export of a folder that export-modules.py wrote, and prints a table of exporters.
//
//   npx tsx --conditions=@isthmus/source tools/exports/verify-exports.ts FOLDER [--save OUT] [--json] [MODULE...]
//
// OUT/MODULE/OPTION.safetensors is the module's state, permuted by every symmetry at once through the export: check-exports.py loads
// all of them in PyTorch.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { saveCheckpoint } from "@isthmus/core";
import { describeSizes } from "../../test/helpers/describe-symmetries.ts";
import { readManifest, readWitness, verifyExport } from "../../test/helpers/verify-export.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { save: { type: "string" }, json: { type: "boolean", default: false } },
});
const [folder, ...modules] = positionals;
if (folder === undefined) {
  console.error("usage: verify-exports.ts FOLDER [--save OUT] [--json] [MODULE...]");
  process.exit(2);
}

/** Largest error that rounding explains. */
const TOLERANCE = 2e-5;

interface Row {
  readonly module: string;
  readonly option: string;
  readonly sizes: string;
  readonly unknown: string;
  readonly verified: boolean;
  readonly asExported: string;
  readonly unbound: string;
  readonly bound: boolean;
  readonly asBound: string;
}

const describeErrors = (errors: Readonly<Record<string, number>> | undefined): string =>
  Object.entries(errors ?? {})
    .map(([name, error]) => `${name} ${error.toExponential(1)}`)
    .join(", ");

async function examine(module: string, option: string, file: string): Promise<Row> {
  const path = join(folder as string, module, file);
  const witness = await readWitness(join(folder as string, module));
  const { permutations, proof, asExported, asBound, unbound, permuted } = await verifyExport(path, witness);
  const bound = asBound !== undefined && Object.values(asBound).every((error) => error < TOLERANCE);
  if (values.save !== undefined && permuted !== undefined) {
    await mkdir(join(values.save, module), { recursive: true });
    await saveCheckpoint(permuted, join(values.save, module, `${option}.safetensors`), { overwrite: true });
  }
  return {
    module,
    option,
    sizes: describeSizes(permutations.spec).join(" "),
    unknown: [...new Set(permutations.spec.unknown.map(({ op }) => op))].join(" "),
    verified: proof.passed,
    asExported: describeErrors(asExported),
    unbound: unbound ?? "",
    bound,
    asBound: describeErrors(asBound),
  };
}

const rows: Row[] = [];
for (const [module, { exports }] of Object.entries(readManifest(folder).modules)) {
  if (modules.length > 0 && !modules.includes(module)) continue;
  for (const [option, file] of Object.entries(exports)) {
    if (typeof file !== "string") continue;
    const row = await examine(module, option, file).catch((error: Error) => ({
      module,
      option,
      sizes: "",
      unknown: "",
      verified: false,
      asExported: "",
      unbound: `failed: ${error.message}`,
      bound: false,
      asBound: "",
    }));
    rows.push(row);
    if (values.json) console.log(JSON.stringify(row));
    else if (!row.verified || !row.bound)
      console.log(
        `${module} ${option}: verified ${row.verified}; carried: ${row.asExported}; bound: ${row.asBound} ${row.unbound.slice(0, 300)}`,
      );
  }
}
if (!values.json) {
  for (const option of new Set(rows.map((row) => row.option))) {
    const own = rows.filter((row) => row.option === option);
    const count = (of: (row: Row) => boolean) => `${own.filter(of).length} of ${own.length}`;
    console.log(
      `${option.padEnd(20)} verified ${count((row) => row.verified)}, bound ${count((row) => row.bound)}`,
    );
  }
}
