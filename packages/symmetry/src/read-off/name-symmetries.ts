import { at } from "@isthmus/core";
import { LABEL_FLAGS, type LabelStore } from "../labels/label-store.ts";
import type { Classes } from "./classify.ts";
import type { Family } from "./families.ts";
import { indexFamilies } from "./number-units.ts";

/** Endings of weights' names that are left out of names of symmetries. */
const ENDING = /[._](weight|bias|running_mean|running_var|gamma|beta|scale|kernel)$/;

/**
 * Chooses names for families after the first weight that has them as an output axis, `layers.0` for
 * `layers.0.weight`.
 *
 * The name of a family with others nested in it ends in `.heads` if it or one of them is summed over in a
 * product of activations, and otherwise in `.groups` if the family lies in no weight itself. The name of a
 * family nested in heads ends in `.qk` if it is summed over in a product of activations, and otherwise in
 * `.vo`.
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
    // A dot would not do: names of weights have numbers behind dots.
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
      const parents = Array.from(at(family.parents, 0, "cell"), (parent) => familyOf.get(parent));
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

  /** Checks whether a family is nested in a family of heads. */
  #isBelowHeads(family: Family): boolean {
    const above = this.#above.get(family) ?? [];
    return above.some((parent) =>
      [parent, ...(this.#nested.get(parent) ?? [])].some((other) => this.#isPaired(other)),
    );
  }

  /** Finds the first weight, in the graph's order, that holds a family nested in this one or following it. */
  #firstBelow(family: Family): string | undefined {
    const below = [...(this.#nested.get(family) ?? []), ...(this.#followed.get(family) ?? [])];
    for (const child of below) {
      const weight = this.#firstWeight(child) ?? this.#firstBelow(child);
      if (weight !== undefined) return weight;
    }
    return undefined;
  }

  /**
   * Finds the first weight, in the graph's order, that holds the family, preferably not on an axis that is
   * summed over.
   */
  #firstWeight(family: Family): string | undefined {
    let input: string | undefined;
    for (const label of this.#labelsOf(family)) {
      const { weight } = at(this.#store.owners, at(this.#store.owner, label, "label"), "owner");
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

  /** Returns the labels of one class of the family, ascending. */
  #labelsOf({ cells }: Family): Int32Array {
    const { members, start } = this.#classes;
    const c = at(at(cells, 0, "cell"), 0, "class");
    return members.slice(start[c] as number, start[c + 1] as number).sort();
  }
}

function append(table: Map<Family, Family[]>, key: Family, family: Family): void {
  const list = table.get(key);
  if (list === undefined) table.set(key, [family]);
  else list.push(family);
}
