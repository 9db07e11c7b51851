import { sizeOf } from "@isthmus/core";
import { gatherPanelInto } from "./kernels/gather-panel.ts";
import type { Occurrence } from "./occurrences.ts";
import { combineOffsets, type WeightPart, weightParts } from "./weight-parts.ts";

/** Columns of an occurrence's panel: everything of the weight but the positions of the moving component. */
export function panelColumns({ layout, components, moving, slots }: Occurrence): number {
  return (sizeOf(layout.view) / (components[moving]?.size ?? 1)) * slots;
}

/** Two views of one alignment, `[units]` each. */
export interface PanelSources {
  /** The alignment as it is, for the columns. */
  readonly current: Int32Array;
  /** The same with the occurrence's own block in place, for the rows. */
  readonly frame: Int32Array;
}

/**
 * Gathers an occurrence's panel `[units, slots * rest]` from a weight, its other axes permuted.
 *
 * @param data - the whole weight, flat
 * @param sources - permutations of all units, of B; none for A itself
 * @param out - `[units * slots * rest]`
 */
export function fillPanel(
  occurrence: Occurrence,
  data: Float32Array,
  sources: PanelSources | undefined,
  out: Float32Array,
): void {
  const { layout, components, moving, positions } = occurrence;
  const isMoving = ({ component }: WeightPart) => component !== undefined && component === components[moving];
  const own = weightParts(layout, components, sources?.frame).find(isMoving)?.offsets ?? new Int32Array();
  const rows = positions.map((position) => own[position] ?? 0);
  const rest = weightParts(layout, components, sources?.current).filter((part) => !isMoving(part));
  gatherPanelInto(data, rows, combineOffsets(rest), out);
}
