import { at } from "@isthmus/core";
import { weightAxisOf } from "../find-axes.ts";
import type { LabelStore, Reason } from "../labels/label-store.ts";
import type { LabelledAxes, LabelledWeight } from "../labels/label-weight.ts";
import type { FrozenAxis } from "../spec.ts";
import type { Classes } from "./classify.ts";
import type { NumberedUnits } from "./number-units.ts";

/** Reason for an index that nothing fixes, but that has no other index to be exchanged with. */
const ALONE = "no other index of the axis is used in the same way";

/** Finds the weight axes on which some index may not move, with the first reason recorded for it. */
export function explainFrozen(
  store: LabelStore,
  weights: ReadonlyMap<string, LabelledWeight>,
  classes: Classes,
  { unitOf }: NumberedUnits,
): FrozenAxis[] {
  const reasons = new ReasonFinder(store, classes);
  const frozen: FrozenAxis[] = [];
  for (const [tensor, weight] of weights) {
    const { shape } = weight.info;
    const stuck = new Map<number, Set<number>>();
    const example = new Map<number, number>();
    for (const field of weight.fields) {
      const axis = weightAxisOf({ shape, view: weight.view }, at(field.axes, field.axes.length - 1, "axis"));
      const indices = stuck.get(axis) ?? new Set<number>();
      stuck.set(axis, indices);
      field.labels.forEach((label, position) => {
        const c = classes.classOf[label] as number;
        if (unitOf[c] !== -1) return;
        indices.add(axis === 0 ? position : position % lastExtent(weight, field));
        if (!example.has(axis)) example.set(axis, label);
      });
    }
    shape.forEach((extent, axis) => {
      if (extent === 1) return;
      const indices = stuck.get(axis)?.size ?? extent;
      if (indices === 0) return;
      const label = example.get(axis);
      const reason = label === undefined ? undefined : reasons.find(label);
      const { node, text } = reason ?? {
        node: tensor,
        text: label === undefined ? "its elements are whole numbers" : ALONE,
      };
      const kernel = axis >= weight.firstKernelAxis;
      frozen.push({ tensor, axis, indices, extent, kernel, node, reason: text });
    });
  }
  return frozen;
}

function lastExtent({ view }: LabelledWeight, { axes }: LabelledAxes): number {
  return at(view, at(axes, axes.length - 1, "axis"), "axis");
}

/**
 * A search for the reason of a label: on the members of its class, then on labels that determine it, then on
 * labels that it determines.
 */
class ReasonFinder {
  readonly #store: LabelStore;
  readonly #classes: Classes;
  readonly #children = new Map<number, Set<number>>();
  readonly #parents = new Map<number, Set<number>>();

  constructor(store: LabelStore, classes: Classes) {
    this.#store = store;
    this.#classes = classes;
    const { classOf, colour, colourSize } = classes;
    const fixed = (c: number): boolean => colourSize[colour[c] as number] === 1;
    const add = (table: Map<number, Set<number>>, from: number, to: number): void => {
      const set = table.get(from);
      if (set === undefined) table.set(from, new Set([to]));
      else set.add(to);
    };
    for (const { child, parent } of store.functions) {
      for (let i = 0; i < child.length; i++) {
        const below = classOf[child[i] as number] as number;
        const above = classOf[parent[i] as number] as number;
        // Only a class that is fixed itself can be the reason why another is fixed.
        if (!fixed(below) || !fixed(above)) continue;
        add(this.#children, above, below);
        add(this.#parents, below, above);
      }
    }
  }

  find(label: number): Reason | undefined {
    const c = this.#classes.classOf[label] as number;
    const number =
      this.#search(c, this.#children, false) ||
      this.#search(c, this.#parents, false) ||
      this.#search(c, this.#children, true) ||
      this.#search(c, this.#parents, true);
    return this.#store.reason(number);
  }

  /**
   * Searches breadth first; returns the number of the earliest reason among members of the nearest class that
   * has one.
   */
  #search(first: number, neighbours: ReadonlyMap<number, ReadonlySet<number>>, weak: boolean): number {
    const seen = new Set([first]);
    for (const c of seen) {
      const number = this.#ofClass(c, weak);
      if (number > 0) return number;
      for (const other of neighbours.get(c) ?? []) seen.add(other);
    }
    return 0;
  }

  #ofClass(c: number, weak: boolean): number {
    const { members, start } = this.#classes;
    let first = 0;
    for (let i = start[c] as number; i < (start[c + 1] as number); i++) {
      const number = this.#store.reasonNumber(members[i] as number, weak);
      if (number > 0 && (first === 0 || number < first)) first = number;
    }
    return first;
  }
}
