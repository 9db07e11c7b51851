import { defineConfig } from "vitest/config";

const conditions = ["@isthmus/source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions: [...conditions, "node"], externalConditions: [...conditions, "node"] } },
  test: {
    include: ["packages/*/{src,test}/**/*.test.ts", "test/**/*.test.ts"],
    reporters: ["default", "./tools/summary-reporter.mjs"],
    setupFiles: ["test/helpers/equal-arrays.ts"],
    pool: "forks",
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
