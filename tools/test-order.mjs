// The order in which vitest runs files of tests, so that no long one is left for the end.
import { BaseSequencer } from "vitest/node";

/** Runs the tests of the whole repository first, which take longest, and those of packages from large to small. */
export class TestOrder extends BaseSequencer {
  async sort(files) {
    const sorted = await super.sort(files);
    const isWhole = ({ moduleId, project }) => moduleId.startsWith(`${project.config.root}/test/`);
    return [...sorted.filter(isWhole), ...sorted.filter((file) => !isWhole(file))];
  }
}
