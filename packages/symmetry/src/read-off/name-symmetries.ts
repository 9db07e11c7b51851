import { LABEL_FLAGS, type LabelStore } from "../labels/label-store.ts";
import type { Classes } from "./classify.ts";
import type { Family } from "./families.ts";
import { indexFamilies } from "./number-units.ts";

/** Endings of weights' names that say nothing of the symmetry. */
const ENDING = /[._](weight|bias|running_mean|running_var|gamma|beta|scale|kernel)$/;

/**
 * Names families after the first weight that has them as an output axis, `layers.0` for `layers.0.weight`.
 *
 * A family that others are nested in is named `.heads` where they, or it, are summed over between activations, and
 * else, if it lies in no weight itself, `.groups`. Nested in heads, `.qk` are the dimensions that are summed over
 * between activations, and `.vo` others.
 *
 * @param free - families to name
 * @param followers - families that move with them
 */
export function nameFamilies(
  store: LabelStore,
  classes: Classes,
  free: readonly Family[],
  followers: readonly Family[],
): string[] {
  const namer = new Namer(store, classes, free, followers);
  const used = new Map<string, number>();
  return free.map((family) => {
    const name = namer.describe(family);
    const count = (used.get(name) ?? 0) + 1;
    used.set(name, count);
    // Not a dot: names of weights have numbers behind dots.
    return count === 1 ? name : `${name}#${count}`;
  });
}

class Namer {
  readonly #store: LabelStore;
  readonly #classes: Classes;
  readonly #nested = new Map<Family, Family[]>();
  readonly #followed = new Map<Family, Family[]>();
  readonly #above = new Map<Family, Family[]>();

  constructor(store: LabelStore, classes: Classes, free: readonly Family[], followers: readonly Family[]) {
    this.#store = store;
    this.#classes = classes;
    const familyOf = indexFamilies(free);
    for (const family of [...free, ...followers]) {
      const parents = Array.from(family.parents[0] ?? [], (parent) => familyOf.get(parent));
      for (const above of parents.filter((parent) => parent !== undefined)) {
        append(family.size > 1 ? this.#nested : this.#followed, above, family);
        append(this.#above, family, above);
      }
    }
  }

  describe(family: Family): string {
    const nested = this.#nested.get(family) ?? [];
    const base = this.#firstWeight(family) ?? this.#firstBelow(family);
    const name = (base ?? "symmetry").replace(ENDING, "");
    if (nested.length > 0 && [family, ...nested].some((other) => this.#isPaired(other)))
      return `${name}.heads`;
    if (this.#firstWeight(family) === undefined) {
      return this.#isBelowHeads(family) ? `${name}.heads` : `${name}.groups`;
    }
    if (!this.#isBelowHeads(family)) return name;
    return `${name}.${this.#isPaired(family) ? "qk" : "vo"}`;
  }

  /** Whether it is nested in a family of heads. */
  #isBelowHeads(family: Family): boolean {
    const above = this.#above.get(family) ?? [];
    return above.some((parent) =>
      [parent, ...(this.#nested.get(parent) ?? [])].some((other) => this.#isPaired(other)),
    );
  }

  /** First weight, in the graph's order, that holds what is nested in the family or follows it. */
  #firstBelow(family: Family): string | undefined {
    const below = [...(this.#nested.get(family) ?? []), ...(this.#followed.get(family) ?? [])];
    for (const child of below) {
      const weight = this.#firstWeight(child) ?? this.#firstBelow(child);
      if (weight !== undefined) return weight;
    }
    return undefined;
  }

  /** First weight, in the graph's order, that holds the family, preferably not as what is summed over. */
  #firstWeight(family: Family): string | undefined {
    let input: string | undefined;
    for (const label of this.#labelsOf(family)) {
      const weight = this.#store.owners[this.#store.owner[label] as number]?.weight;
      if (weight === undefined) continue;
      if (((this.#store.flags[label] as number) & LABEL_FLAGS.weightInput) === 0) return weight;
      input ??= weight;
    }
    return input;
  }

  #isPaired(family: Family): boolean {
    return this.#labelsOf(family).some(
      (label) => ((this.#store.flags[label] as number) & LABEL_FLAGS.paired) !== 0,
    );
  }

  /** Labels of one class of the family, ascending. */
  #labelsOf({ cells }: Family): Int32Array {
    const { members, start } = this.#classes;
    const c = cells[0]?.[0] ?? 0;
    return members.slice(start[c] as number, start[c + 1] as number).sort();
  }
}

function append(table: Map<Family, Family[]>, key: Family, family: Family): void {
  const list = table.get(key);
  if (list === undefined) table.set(key, [family]);
  else list.push(family);
}
