import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Plugin } from "vitest/config";
import { defineConfig } from "vitest/config";
import { TestOrder } from "./tools/test-order.mjs";

const conditions = ["@isthmus/source"];

/** Digest of the package.json of every package, which say the sources that imports of packages lead to. */
const entries = createHash("sha256");
const packages = new URL("packages/", import.meta.url);
for (const name of readdirSync(packages))
  entries.update(readFileSync(new URL(`${name}/package.json`, packages)));
const ENTRIES = entries.digest("hex");

/** Modules that were translated by an earlier run hold as long as packages have the same entries. */
const cacheByEntries: Plugin = {
  name: "cache-by-entries",
  configureVitest({ experimental_defineCacheKeyGenerator }) {
    experimental_defineCacheKeyGenerator(() => ENTRIES);
  },
};

export default defineConfig({
  plugins: [cacheByEntries],
  resolve: { conditions },
  ssr: { resolve: { conditions: [...conditions, "node"], externalConditions: [...conditions, "node"] } },
  test: {
    include: ["packages/*/{src,test}/**/*.test.ts", "test/**/*.test.ts"],
    reporters: ["default", "./tools/summary-reporter.mjs"],
    sequence: { sequencer: TestOrder },
    setupFiles: ["test/helpers/equal-arrays.ts", "test/helpers/law-seeds.ts"],
    pool: "forks",
    // Files of tests share their modules, as loading them took a third of the time: tests leave them as they were.
    isolate: false,
    restoreMocks: true,
    unstubEnvs: true,
    // More than processors: many tests wait for other processes.
    maxWorkers: 4,
    // Threads of onnxruntime wait for each other without resting, which takes the cores from other workers.
    env: { ISTHMUS_ENGINE_THREADS: "1" },
    // Translating the sources that a file of tests imports takes longer than most tests: a later run finds them translated.
    experimental: { fsModuleCache: true },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
