import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";
import { packageNames, root } from "./tools/packages.mjs";
import { TEST_FLAGS } from "./tools/test-flags.mjs";
import { TestOrder } from "./tools/test-order.mjs";
import { listSkipped } from "./tools/test-systems.mjs";

const conditions = ["@isthmus/source"];

/** Files that say to which source an import leads: of the packages that are installed, and of our own. */
const installed = join(root, "node_modules", ".package-lock.json");
const leading = [installed, ...packageNames.map((name) => join(root, "packages", name, "package.json"))];

/**
 * Folder of modules that an earlier run translated, another for other packages. Vitest would else empty the one it has if the
 * installed packages change, and then fail to write to it (4.1.12).
 */
const translated = createHash("sha256");
for (const path of leading) translated.update(readFileSync(path));
const fsModuleCachePath = join(root, "node_modules", ".cache", "vitest-modules", translated.digest("hex"));

const skipped = listSkipped(process.platform);
for (const { path, word } of skipped)
  process.stderr.write(`SKIPPED on this system: ${path}, which uses ${word}\n`);

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions: [...conditions, "node"], externalConditions: [...conditions, "node"] } },
  test: {
    exclude: [...configDefaults.exclude, ...skipped.map(({ path }) => path)],
    include: ["packages/*/{src,test}/**/*.test.ts", "test/**/*.test.ts", "page/test/**/*.test.ts"],
    reporters: ["default", "./tools/summary-reporter.mjs"],
    sequence: { sequencer: TestOrder },
    setupFiles: ["test/helpers/equal-arrays.ts", "test/helpers/law-seeds.ts"],
    pool: "forks",
    // Files of tests share their modules, as loading them took a third of the time: tests leave them as they were.
    isolate: false,
    execArgv: [...TEST_FLAGS],
    restoreMocks: true,
    unstubEnvs: true,
    // More than processors: many tests wait for other processes.
    maxWorkers: 4,
    // Threads of onnxruntime wait for each other without resting, which takes the cores from other workers.
    env: { ISTHMUS_ENGINE_THREADS: "1" },
    // Translating the sources that a file of tests imports takes longer than most tests: a later run finds them translated.
    experimental: { fsModuleCache: true, fsModuleCachePath },
    testTimeout: 180_000,
    // A machine with other work takes longer than the second that is waited for by default.
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 180_000,
  },
});
