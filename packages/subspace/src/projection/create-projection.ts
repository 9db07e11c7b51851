import { excerpt, OutOfRangeError, UsageError } from "@isthmus/core";
import { createDenseProjection } from "./dense.ts";
import { createFastfoodProjection } from "./fastfood.ts";
import {
  PROJECTION_KINDS,
  type Projection,
  type ProjectionKind,
  type ProjectionShape,
} from "./projection.ts";
import { createSparseProjection } from "./sparse.ts";

const CREATORS: Readonly<Record<ProjectionKind, (shape: ProjectionShape) => Projection>> = {
  dense: (shape) => createDenseProjection(shape),
  sparse: createSparseProjection,
  fastfood: createFastfoodProjection,
};

/**
 * Creates a random matrix with nearly orthonormal columns; only a small dense matrix is stored whole. The
 * same seed and label give the same matrix.
 * @throws UsageError if the kind is unknown
 * @throws OutOfRangeError if there are no rows, or the number of columns is not from 1 to the rows
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createProjection } from "@isthmus/subspace";
 *
 * const projection = createProjection("fastfood", { rows: 1000, columns: 3, seed: 0, label: "example" });
 * const direction = new Float32Array(1000);
 * projection.multiplyInto(Float32Array.of(0, 1, 0), direction); // its second column
 * assert(Math.abs(Math.hypot(...direction) - 1) < 0.1);
 * ```
 */
export function createProjection(kind: ProjectionKind, shape: ProjectionShape): Projection {
  assertProjectionKind(kind);
  const { rows, columns } = shape;
  if (Number.isSafeInteger(columns) && columns >= 1 && columns <= rows) return CREATORS[kind](shape);
  throw new OutOfRangeError(
    `Cannot project at random as a matrix of ${rows} rows must have from 1 to ${rows} columns: it has ${columns}`,
  );
}

/**
 * Checks the kind of a random matrix.
 * @throws UsageError if the kind is unknown
 */
function assertProjectionKind(kind: ProjectionKind): void {
  if (PROJECTION_KINDS.includes(kind)) return;
  throw new UsageError(
    `Cannot project at random as the projection must be one of ${PROJECTION_KINDS.join(", ")}: it is ${excerpt(kind)}`,
  );
}
