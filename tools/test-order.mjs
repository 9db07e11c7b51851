// The order in which vitest runs files of tests, so that no long one is left for the end.
import { BaseSequencer } from "vitest/node";

/** Names of files whose tests wait for other processes, and leave the processors to the tests beside them. */
const WAITING = /cluster|federat|killed|outages|processes|queue|remote/;

/**
 * Runs the tests of the whole repository first, which take longest, then those that wait for other processes,
 * then the rest; each from large to small.
 */
export class TestOrder extends BaseSequencer {
  async sort(files) {
    const sorted = await super.sort(files);
    const rank = ({ moduleId, project }) => {
      const path = moduleId.slice(project.config.root.length + 1);
      if (path.startsWith("test/")) return 0;
      return WAITING.test(path.split("/").at(-1)) ? 1 : 2;
    };
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}
