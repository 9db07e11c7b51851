import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { root } from "../tools/packages.mjs";

/**
 * Entries that pages need, and the most kilobytes that each may take, minified, with all that it imports. Pages that import
 * some names of an entry take less.
 */
const BUDGETS: Readonly<Record<string, number>> = {
  "@isthmus/platform": 27,
  "@isthmus/core": 213,
  "@isthmus/graph": 352,
  "@isthmus/symmetry": 257,
  "@isthmus/autodiff": 102,
  "@isthmus/training": 377,
  "@isthmus/weight-matching": 756,
  "@isthmus/interpolation": 61,
  "@isthmus/merging": 514,
  "@isthmus/barrier": 787,
  "@isthmus/report": 4030,
  "@isthmus/report/figure": 950,
  "@isthmus/recipe": 1920,
  "@isthmus/data": 388,
  "@isthmus/zoo": 656,
  "@isthmus/similarity": 293,
  "@isthmus/statistics": 116,
};

const entries = Object.keys(BUDGETS);
const bundles = await build({
  absWorkingDir: root,
  entryPoints: entries.map((entry, i) => ({ in: `entry:${entry}`, out: String(i) })),
  plugins: [
    {
      name: "entries",
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /^entry:/ }, ({ path }) => ({
          path: path.slice("entry:".length),
          namespace: "entry",
        }));
        onLoad({ filter: /./, namespace: "entry" }, ({ path }) => ({
          contents: `export * from ${JSON.stringify(path)};`,
          resolveDir: root,
        }));
      },
    },
  ],
  outdir: "/bundles",
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  conditions: ["@isthmus/source"],
  metafile: true,
  write: false,
  logLevel: "silent",
});

describe("bundles for browsers", () => {
  const rows = entries.map((entry, i) => {
    const bytes = bundles.outputFiles[i]?.contents.length ?? 0;
    return { entry, kilobytes: Math.ceil(bytes / 1000), budget: BUDGETS[entry] ?? 0 };
  });

  it("have no module of Node.js, and nothing from elsewhere", () => {
    const imports = Object.values(bundles.metafile.outputs).flatMap((output) => output.imports);
    // linkedom asks for a package that draws on canvases, and does without it.
    expect(imports.filter(({ path }) => path !== "canvas")).toEqual([]);
  });

  it("are no larger than they may be", () => {
    const table = rows.map(
      ({ entry, kilobytes, budget }) => `${entry.padEnd(26)} ${kilobytes} of ${budget} kB`,
    );
    process.stdout.write(`${table.join("\n")}\n`);
    for (const { entry, kilobytes, budget } of rows) {
      expect(kilobytes, entry).toBeLessThanOrEqual(budget);
      // A budget far above what is needed would let a bundle grow unseen.
      expect(kilobytes, entry).toBeGreaterThan(0.8 * budget);
    }
  });
});
