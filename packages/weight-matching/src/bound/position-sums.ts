import { at, axisOffsets, dot, stridesOf } from "@isthmus/core";
import type { WeightLayout } from "@isthmus/symmetry";
import type { LayoutComponent } from "@isthmus/symmetry/layout";
import type { TileTables } from "../out-of-core/weight-tiles.ts";
import type { MatchedWeights } from "../weights/matched-weights.ts";
import { addColumns } from "./kernels/add-columns.ts";

/** A weight of a specification. */
export interface NamedLayout {
  readonly tensor: string;
  readonly layout: WeightLayout;
}

/** Sums over the elements at each position of some axes of a weight, `[positions]` each. */
export interface PositionSums {
  /** Norms of A and B. */
  readonly a: Float64Array;
  readonly b: Float64Array;
  /** Inner products of A and B as they are. */
  readonly product: Float64Array;
}

/** Measures a weight along some of its axes, tile by tile. */
export async function positionSums(
  { tiles, tileElements }: MatchedWeights,
  { tensor, layout }: NamedLayout,
  component: LayoutComponent,
): Promise<PositionSums> {
  const strides = stridesOf(layout.view);
  const others = layout.view.flatMap((_, axis) => (component.axes.includes(axis) ? [] : [axis]));
  const along = (axes: readonly number[]) => axisOffsets(layout.view, strides, axes);
  const moving = along(component.axes);
  const leads = component.axes[0] === 0;
  const [first, ...rest] = leads ? [] : others;
  const lead = leads ? moving : along(first === undefined ? [] : [first]);
  const inner = leads ? others.map((axis) => along([axis])) : [...rest.map((axis) => along([axis])), moving];
  const perLead = inner.reduce((product, table) => product * table.length, 1);
  const step = Math.max(1, Math.min(lead.length, Math.floor(tileElements / perLead)));
  const sums = { a: new Float64Array(moving.length), b: new Float64Array(moving.length) };
  const product = new Float64Array(moving.length);
  for (let from = 0; from < lead.length; from += step) {
    const tables: TileTables = { lead: lead.subarray(from, from + step), rest: inner };
    const a = await tiles.a.read(tensor, layout, tables, true);
    const b = await tiles.b.read(tensor, layout, tables, true);
    const place = leads ? { from, run: perLead } : { from: 0, run: 0 };
    addProducts(a, a, sums.a, place);
    addProducts(b, b, sums.b, place);
    addProducts(a, b, product, place);
  }
  return { a: sums.a.map(Math.sqrt), b: sums.b.map(Math.sqrt), product };
}

/**
 * Adds products to their positions: runs of elements of one position each, or rows over all positions (`run`
 * 0).
 */
function addProducts(
  a: Float32Array,
  b: Float32Array,
  out: Float64Array,
  { from, run }: { readonly from: number; readonly run: number },
): void {
  if (run === 0) {
    addColumns(a, b, out);
    return;
  }
  for (let begin = 0, position = from; begin < a.length; begin += run, position++) {
    const part = (data: Float32Array) => ({ dtype: "f32" as const, data: data.subarray(begin, begin + run) });
    out[position] = at(out, position, "position") + dot(part(a), part(b));
  }
}
