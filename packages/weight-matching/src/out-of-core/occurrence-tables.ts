import { at } from "@isthmus/core";
import { mapComponent } from "@isthmus/symmetry/layout";
import type { PanelSources } from "../coordinate-descent/member-costs.ts";
import { columnOffsets, type Occurrence } from "../coordinate-descent/occurrences.ts";
import { type WeightPart, weightParts } from "../coordinate-descent/weight-parts.ts";
import type { TileTables } from "./weight-tiles.ts";

/** How to read one slot of an occurrence from both networks, so that elements correspond. */
export interface OccurrenceTables {
  readonly a: TileTables;
  readonly b: TileTables;
  /** Whether `lead` runs over the units; else the last table does. */
  readonly leadMoves: boolean;
}

/**
 * Creates the tables for one slot of an occurrence, B permuted on the other axes and, by other blocks, on
 * this one.
 */
export function occurrenceTables(
  occurrence: Occurrence,
  { current, frame }: PanelSources,
  slot: number,
): OccurrenceTables {
  const { layout, components } = occurrence;
  const still = weightParts(layout, components, undefined);
  const moved = weightParts(layout, components, current);
  const component = at(components, occurrence.moving, "component");
  const isMoving = (part: WeightPart) => part.component === component;
  const { offsets } = at(still, still.findIndex(isMoving), "part");
  const map = mapComponent(component, frame);
  const columns = (from: Int32Array | undefined) => columnOffsets(occurrence, slot, offsets, from);
  // Parts are ordered by their first axis, so the first part holds the first axis.
  const leadMoves = isMoving(at(still, 0, "part"));
  const others = (parts: readonly WeightPart[]) =>
    parts.filter((part) => !isMoving(part)).map((part) => part.offsets);
  const tables = (parts: readonly WeightPart[], from: Int32Array | undefined): TileTables => {
    if (leadMoves) return { lead: columns(from), rest: others(parts) };
    const [lead = Int32Array.of(0), ...rest] = others(parts);
    return { lead, rest: [...rest, columns(from)] };
  };
  return { a: tables(still, undefined), b: tables(moved, map), leadMoves };
}
