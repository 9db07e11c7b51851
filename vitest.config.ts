import { defineConfig } from "vitest/config";
import { TestOrder } from "./tools/test-order.mjs";

const conditions = ["@isthmus/source"];

export default defineConfig({
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
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
