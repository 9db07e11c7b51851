import type { PlaneResult } from "@isthmus/barrier";
import { UsageError } from "@isthmus/core";

/**
 * Checks that a plane can be drawn.
 * @throws UsageError if there are fewer than two columns or rows, coordinates do not ascend, or a grid has
 *   other sizes
 */
export function assertGrid({ xs, ys, loss, error, models }: PlaneResult): void {
  for (const [name, coordinates] of Object.entries({ xs, ys })) {
    const ascends = coordinates.every(
      (value, index) => index === 0 || value > (coordinates[index - 1] ?? value),
    );
    if (coordinates.length < 2 || !ascends) {
      throw new UsageError(
        `Cannot draw a plane as "${name}" must be at least 2 ascending numbers: got [${coordinates.join(", ")}]`,
      );
    }
  }
  for (const [name, grid] of Object.entries({ loss, error })) {
    const odd = grid.find((row) => row.length !== xs.length);
    if (grid.length !== ys.length || odd) {
      throw new UsageError(
        `Cannot draw a plane as "${name}" must be ${ys.length} rows of ${xs.length} values: it has ${grid.length} rows${odd ? `, one of ${odd.length}` : ""}`,
      );
    }
    if (!grid.flat().some(Number.isFinite)) {
      throw new UsageError(`Cannot draw a plane as "${name}" must have a finite value: it has none`);
    }
  }
  if (models.length === 0) throw new UsageError("Cannot draw a plane as it must go through networks: got 0");
}
