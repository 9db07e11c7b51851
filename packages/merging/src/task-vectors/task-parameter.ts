import { OutOfRangeError } from "@isthmus/core";
import type { MergedTensor } from "../merge-method.ts";

/** Parameter of methods that bring one network back from what all networks share. */
export const TASK = {
  description: "Position of the network whose task is brought back; 0 is the first.",
  of: "merge",
  default: 0,
  least: 0,
} as const;

/**
 * Asserts that the parameter `task` of a method is the position of a network.
 * @throws OutOfRangeError if it is not
 */
export function assertTask(
  { name, networks: { length } }: Pick<MergedTensor, "name" | "networks">,
  task: number,
  method: string,
): void {
  if (Number.isInteger(task) && task < length) return;
  throw new OutOfRangeError(
    `Cannot merge "${name}" as "task" of ${method} must be the position of one of ${length} networks: it is ${task}`,
  );
}
