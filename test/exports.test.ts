import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { describeSizes } from "./helpers/describe-symmetries.ts";
import { EXPECTED_EXPORTS } from "./helpers/expected-exports.ts";
import { readManifest, readWitness, verifyExport } from "./helpers/verify-export.ts";

const FOLDER = fileURLToPath(new URL("fixtures/exports", import.meta.url));
const manifest = readManifest(FOLDER);

/** Largest error that rounding explains, relative to the largest element. */
const ROUNDING = 1e-5;

/** Modules with batch norms. */
const NORMED = /^(conv|batch-norm|depthwise)/;

/** Exports that are files of their own, with the option that made them and those that make the same. */
const EXPORTS = Object.entries(manifest.modules).flatMap(([module, { exports }]) => {
  const files = new Set(Object.values(exports).filter((file) => typeof file === "string"));
  return [...files].map((file) => ({
    module,
    file,
    options: Object.keys(exports).filter((option) => exports[option] === file),
  }));
});

describe("exports of PyTorch", () => {
  test("every module has its list of symmetries", () => {
    expect(Object.keys(manifest.modules)).toEqual(Object.keys(EXPECTED_EXPORTS));
    expect(EXPORTS.length).toBeGreaterThan(200);
  });

  test.each(EXPORTS)(
    "$module/$file has the symmetries of its module, which PyTorch's output proves",
    async ({ module, file, options }) => {
      const { sizes, unknown = [] } = EXPECTED_EXPORTS[module] as (typeof EXPECTED_EXPORTS)[string];
      const folder = join(FOLDER, module);
      const { permutations, proof, asExported, unbound, asBound } = await verifyExport(
        join(folder, file),
        await readWitness(folder),
      );

      expect(unbound).toBeUndefined();
      expect(describeSizes(permutations.spec).join(" ")).toBe(sizes);
      expect(unknown).toEqual(expect.arrayContaining(permutations.spec.unknown.map(({ op }) => op)));
      expect(proof).toMatchObject({ passed: true });
      expect(proof.maxRelativeError).toBeLessThan(ROUNDING);

      // Exporting in training runs the module, which moves its running statistics: the file's are others than before.
      const isMoved = options.includes("legacy-training") && NORMED.test(module);
      if (asExported !== undefined && !isMoved) {
        expect(asExported.same).toBeLessThan(ROUNDING);
        expect(asExported.permuted).toBeLessThan(ROUNDING);
      }
      for (const error of Object.values(asBound ?? {})) expect(error).toBeLessThan(ROUNDING);
      expect(Object.keys(asBound ?? {})).toEqual(["same", "permuted", "other"]);
    },
  );

  test("the README says how many were verified of each exporter", () => {
    const readme = readFileSync(new URL("../packages/graph/README.md", import.meta.url), "utf8");
    const options = new Set(Object.values(manifest.modules).flatMap(({ exports }) => Object.keys(exports)));
    for (const option of options) {
      const rows = Object.values(manifest.modules).filter(
        ({ exports }) => typeof exports[option] === "string",
      );
      expect(readme).toContain(`| ${option} |`);
      const row = readme.split("\n").find((line) => line.startsWith(`| ${option} |`));
      expect(row, option).toContain(`| ${rows.length} of ${rows.length} |`);
    }
  });
});
