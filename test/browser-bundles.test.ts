import { sumOf } from "@isthmus/core";
import { build, type Metafile } from "esbuild";
import { describe, expect, it } from "vitest";
import { root } from "../tools/packages.mjs";

/** Kilobytes of an entry, minified. */
interface Size {
  /** What a page loads to import all names of the entry; those that import some of them load less. */
  readonly first: number;
  /** What functions of the entry can load when they are called. */
  readonly later: number;
}

/** Entries that pages need, and the most that each may take; 110 kB of the later write GGUF, read quantised weights and, most of it, unpack Zstandard. */
const BUDGETS: Readonly<Record<string, Size>> = {
  "@isthmus/platform": { first: 30, later: 75 },
  "@isthmus/core": { first: 271, later: 111 },
  "@isthmus/graph": { first: 397, later: 111 },
  "@isthmus/symmetry": { first: 261, later: 114 },
  "@isthmus/autodiff": { first: 85, later: 114 },
  "@isthmus/training": { first: 442, later: 111 },
  "@isthmus/weight-matching": { first: 782, later: 185 },
  "@isthmus/interpolation": { first: 43, later: 114 },
  "@isthmus/merging": { first: 690, later: 111 },
  "@isthmus/barrier": { first: 632, later: 293 },
  "@isthmus/report": { first: 1222, later: 3140 },
  "@isthmus/report/figure": { first: 70, later: 1057 },
  "@isthmus/recipe": { first: 1910, later: 390 },
  "@isthmus/data": { first: 291, later: 252 },
  "@isthmus/zoo": { first: 566, later: 286 },
  "@isthmus/similarity": { first: 179, later: 213 },
  "@isthmus/statistics": { first: 96, later: 114 },
};

/** Files of an entry's bundle by their paths, as esbuild describes them. */
type Outputs = Metafile["outputs"];

/** Bundles an entry for browsers, with a file for whatever is imported while functions run. */
async function bundle(entry: string): Promise<Outputs> {
  const { metafile } = await build({
    absWorkingDir: root,
    stdin: { contents: `export * from ${JSON.stringify(entry)};`, resolveDir: root },
    outdir: "/bundles",
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    conditions: ["@isthmus/source"],
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  return metafile.outputs;
}

function measure(outputs: Outputs): Size {
  const first = new Set(Object.keys(outputs).filter((path) => outputs[path]?.entryPoint === "<stdin>"));
  // A set that grows while it is walked is walked to its new end.
  for (const path of first) {
    for (const { kind, path: next } of outputs[path]?.imports ?? []) {
      if (kind === "import-statement" && next in outputs) first.add(next);
    }
  }
  const kilobytes = (isFirst: boolean): number =>
    Math.ceil(
      sumOf(Object.entries(outputs).map(([path, { bytes }]) => (first.has(path) === isFirst ? bytes : 0))) /
        1000,
    );
  return { first: kilobytes(true), later: kilobytes(false) };
}

const bundles = await Promise.all(
  Object.entries(BUDGETS).map(async ([entry, budget]) => ({ entry, budget, outputs: await bundle(entry) })),
);

describe("bundles for browsers", () => {
  it("have no module of Node.js, and nothing from elsewhere", () => {
    const imports = bundles
      .flatMap(({ outputs }) => Object.values(outputs))
      .flatMap((output) => output.imports)
      .filter(({ external }) => external === true);
    // linkedom asks for a package that draws on canvases, and does without it.
    expect(imports.filter(({ path }) => path !== "canvas")).toEqual([]);
  });

  it.each(["first", "later"] as const)("load no more %s than they may", (when) => {
    const rows = bundles.map(({ entry, budget, outputs }) => ({
      entry,
      kilobytes: measure(outputs)[when],
      most: budget[when],
    }));
    const table = rows.map(
      ({ entry, kilobytes, most }) => `${entry.padEnd(26)} ${when} ${kilobytes} of ${most} kB`,
    );
    process.stdout.write(`${table.join("\n")}\n`);
    for (const { entry, kilobytes, most } of rows) {
      expect(kilobytes, entry).toBeLessThanOrEqual(most);
      // A budget far above what is needed would let a bundle grow unseen.
      expect(kilobytes, entry).toBeGreaterThanOrEqual(Math.floor(0.8 * most));
    }
  });
});
