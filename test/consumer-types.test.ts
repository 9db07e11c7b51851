import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageNames } from "../tools/packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = packageNames.filter((name) => name !== "cli");
/** As strict as a project can be that checks the declarations of what it depends on, too. */
const OPTIONS = {
  strict: true,
  skipLibCheck: false,
  noEmit: true,
  target: "es2022",
  lib: ["es2022"],
  module: "nodenext",
  types: ["node"],
};

let folder: string;
beforeAll(() => {
  // Packages are found as a project beside them would find them, by their built declarations.
  const cache = join(root, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, "consumer-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function compile(...flags: string[]): Promise<string> {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions: OPTIONS, files: ["consumer.ts"] }),
  );
  const imports = packages.map(
    (name, index) => `import * as p${index} from "${name === "isthmus" ? name : `@isthmus/${name}`}";`,
  );
  const uses = packages.map((_, index) => `p${index}`).join(", ");
  writeFileSync(join(folder, "consumer.ts"), `${imports.join("\n")}\nexport const all = [${uses}];\n`);
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", folder, ...flags], {
    maxBuffer: 1 << 24,
  }).catch((error: { stdout: string }) => error);
  return stdout;
}

describe("types of the packages", () => {
  it("compile in a project that checks declarations and has no types but those of Node", async () => {
    expect(await compile()).toBe("");
  });

  it("do not need those of the libraries that draw", async () => {
    const files = (await compile("--listFilesOnly")).split("\n");
    expect(files.some((path) => path.endsWith("report/dist/index.d.ts"))).toBe(true);
    expect(files.filter((path) => /observablehq|d3|linkedom|svgpath|pdf-lib/.test(path))).toEqual([]);
  });
});
