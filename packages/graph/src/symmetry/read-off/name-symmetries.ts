import { LABEL_FLAGS, type LabelStore } from "../labels/label-store.ts";
import type { Classes } from "./classify.ts";
import type { Family } from "./families.ts";

/** Endings of weights' names that say nothing of the symmetry. */
const ENDING = /[._](weight|bias|running_mean|running_var|gamma|beta|scale|kernel)$/;

/**
 * Names families after the first weight that has them as an output axis, `layers.0` for `layers.0.weight`.
 *
 * Families that lie in no weight themselves are named after what they move: `.heads` where it includes inner
 * dimensions that are summed over between activations, else `.groups`. Below heads, `.qk` are those inner
 * dimensions and `.vo` others.
 */
export function nameFamilies(store: LabelStore, classes: Classes, families: readonly Family[]): string[] {
  const children = childrenOf(families);
  const used = new Map<string, number>();
  return families.map((family) => {
    const name = describe(store, classes, family, children);
    const count = (used.get(name) ?? 0) + 1;
    used.set(name, count);
    return count === 1 ? name : `${name}.${count}`;
  });
}

function childrenOf(families: readonly Family[]): ReadonlyMap<Family, readonly Family[]> {
  const familyOf = new Map<number, Family>();
  const children = new Map<Family, Family[]>();
  for (const family of families) {
    for (const cell of family.cells) for (const c of cell) familyOf.set(c, family);
    for (const parent of family.parents[0] ?? []) {
      const above = familyOf.get(parent);
      if (above === undefined) continue;
      const list = children.get(above) ?? [];
      children.set(above, list);
      list.push(family);
    }
  }
  return children;
}

function describe(
  store: LabelStore,
  classes: Classes,
  family: Family,
  children: ReadonlyMap<Family, readonly Family[]>,
): string {
  const own = firstWeight(store, classes, family);
  if (own === undefined) return describeParent(store, classes, family, children);
  const base = own.replace(ENDING, "");
  if ((family.parents[0]?.length ?? 0) === 0) return base;
  const siblings = [...children.values()].filter((list) => list.includes(family)).flat();
  if (!siblings.some((sibling) => isPaired(store, classes, sibling))) return base;
  return `${base}.${isPaired(store, classes, family) ? "qk" : "vo"}`;
}

function describeParent(
  store: LabelStore,
  classes: Classes,
  family: Family,
  children: ReadonlyMap<Family, readonly Family[]>,
): string {
  const below = [...(children.get(family) ?? [])];
  for (const child of below) below.push(...(children.get(child) ?? []).filter((other) => !below.includes(other)));
  const bases = below.flatMap((child) => firstWeight(store, classes, child) ?? []);
  const heads = below.some((child) => isPaired(store, classes, child));
  return `${(bases[0] ?? "symmetry").replace(ENDING, "")}.${heads ? "heads" : "groups"}`;
}

/** First weight, in the graph's order, that holds the family, preferably not as what is summed over. */
function firstWeight(store: LabelStore, classes: Classes, { cells }: Family): string | undefined {
  let input: string | undefined;
  const c = cells[0]?.[0] ?? 0;
  const labels = [...classes.members.subarray(classes.start[c], classes.start[c + 1])].sort((a, b) => a - b);
  for (const label of labels) {
    const weight = store.owners[store.owner[label] as number]?.weight;
    if (weight === undefined) continue;
    if (((store.flags[label] as number) & LABEL_FLAGS.weightInput) === 0) return weight;
    input ??= weight;
  }
  return input;
}

function isPaired(store: LabelStore, classes: Classes, { cells }: Family): boolean {
  const c = cells[0]?.[0] ?? 0;
  const labels = classes.members.subarray(classes.start[c], classes.start[c + 1]);
  return labels.some((label) => ((store.flags[label] as number) & LABEL_FLAGS.paired) !== 0);
}
