import { OutOfRangeError } from "@isthmus/core";
import { assertFitsMemory } from "./assignment-memory.ts";
import type { AssignmentSolver } from "./assignment-solver.ts";
import { KernelSolver } from "./kernel-solver.ts";

/**
 * Makes a solver for problems of up to `maxRows` x `maxColumns`, which takes all of its memory at once and
 * keeps it.
 * @throws RangeError if that needs more than 4 GiB.
 */
export function createAssignmentSolver(maxRows: number, maxColumns: number): AssignmentSolver {
  assertSize("maxRows", maxRows);
  assertSize("maxColumns", maxColumns);
  assertFitsMemory(maxRows, maxColumns);
  return new KernelSolver(maxRows, maxColumns);
}

function assertSize(name: string, size: number): void {
  if (Number.isSafeInteger(size) && size >= 0) return;
  throw new OutOfRangeError(
    `Cannot make an assignment solver as its sizes must be whole numbers from 0: ${name} is ${size}`,
  );
}
