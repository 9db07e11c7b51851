// The order in which vitest runs files of tests, so that no long one is left for the end.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BaseSequencer } from "vitest/node";

/** Files that take longest in a whole run on two processors, the longest first: 20 seconds or more each. */
const LONGEST = [
  "test/examples.test.ts",
  "packages/cli/test/cli-cluster-s3.test.ts",
  "packages/cli/test/cli-cluster.test.ts",
  "packages/cli/test/cli-use-study.test.ts",
  "page/test/page.test.ts",
  "page/test/lab.test.ts",
  "packages/engine/test/devices.test.ts",
  "packages/report/test/report-pages.test.ts",
  "packages/report/src/read/size-problems.test.ts",
  "test/fuzz.test.ts",
  "test/exports.test.ts",
  "packages/cli/test/cli-align.test.ts",
  "packages/weight-matching/test/match-learned.test.ts",
  "packages/cli/test/cli-study.test.ts",
  "test/command-lines.test.ts",
  "test/published.test.ts",
  "packages/distributed/src/queue/folder/open-folder-queue.test.ts",
  "packages/federation-server/test/join-federation.test.ts",
  "packages/cli/test/cli-train.test.ts",
  "packages/cli/test/cli-use-several.test.ts",
  "packages/cli/test/cli-makers-study.test.ts",
  "packages/symmetry/test/symmetry-operands.test.ts",
  "packages/symmetry/test/symmetry-shapes.test.ts",
  "packages/weight-matching/test/match-many.test.ts",
];

/** Names of files whose tests wait for other processes, and leave the processors to the tests beside them. */
const WAITING = /cluster|federat|killed|outages|processes|queue|remote/;

/**
 * Runs the longest files first, then the tests of the whole repository, then those that wait for other processes,
 * then the rest; each from large to small.
 */
export class TestOrder extends BaseSequencer {
  async sort(files) {
    const sorted = await super.sort(files);
    const { root } = this.ctx.config;
    const gone = LONGEST.filter((path) => !existsSync(join(root, path)));
    if (gone.length > 0)
      throw new Error(`Cannot order tests as there is no ${gone.join(", ")}: see tools/test-order.mjs`);
    const rank = ({ moduleId }) => {
      const path = moduleId.slice(root.length + 1);
      const longest = LONGEST.indexOf(path);
      if (longest >= 0) return longest - LONGEST.length;
      if (path.startsWith("test/")) return 0;
      return WAITING.test(path.split("/").at(-1)) ? 1 : 2;
    };
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}
