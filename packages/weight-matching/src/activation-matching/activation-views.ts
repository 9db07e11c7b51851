import { entry } from "@isthmus/core";
import type { Graph, Probe } from "@isthmus/graph";
import type { UnitView } from "@isthmus/statistics";
import {
  layOutValues,
  type Motion,
  type Symmetries,
  type ValueComponent,
  type ValueLayouts,
} from "@isthmus/symmetry";
import {
  blockOwners,
  type MemberPositions,
  ownersOfPositions,
  positionsOfMember,
  rotationsOf,
} from "../coordinate-descent/member-positions.ts";
import type { PlacementExpander } from "../coordinate-descent/placement.ts";
import type { Block, Member, UnitTree } from "../coordinate-descent/unit-tree.ts";
import { type ActivationChoice, comparedValues } from "./compared-values.ts";

/** A view of a value that holds the units of a member, in order. */
export interface MemberView {
  /** Member of a block whose units are viewed. */
  readonly member: Member;
  /** Value of the graph and the places of the units in it, for measuring their activations. */
  readonly view: UnitView;
  /** Whether its value is among the chosen ones, or the member has no view of a chosen value. */
  readonly chosen: boolean;
}

/** An architecture whose values are searched for units. */
export interface ViewedArchitecture {
  /** Graph of the architecture, whose values are searched for units. */
  readonly graph: Graph;
  /** Permutation symmetries of the graph, with the labels of every value. */
  readonly permutations: Symmetries;
  /**
   * A probe with another batch than the one of the permutations, which shows the extents that depend on the
   * batch.
   */
  readonly probe: Probe;
  /** Units of the symmetries, arranged in blocks of members that move together. */
  readonly tree: UnitTree;
  /** Expander of placements to whole alignments, by which the motion of units is followed through values. */
  readonly expander: PlacementExpander;
}

/**
 * Finds the values in which units of each member of each block lie, and their places there.
 *
 * Left out are values in which units of another block lie as well, since their samples correspond only once
 * that block has been placed, and values whose units share an axis with the batch.
 */
export function findActivationViews(
  architecture: ViewedArchitecture,
  choice: ActivationChoice,
): MemberView[] {
  const { tree, graph } = architecture;
  const layouts = layOutValues(architecture.permutations);
  const all = comparedValues(graph, "all");
  const chosen = comparedValues(graph, choice);
  return tree.blocks.flatMap((block) => {
    const finder = createFinder(architecture, layouts, block);
    const views = all.map((value) => ({ value, places: finder(value) }));
    return block.members.flatMap((member): MemberView[] => {
      const ofMember = views.flatMap(({ value, places }) =>
        places.flatMap((place) =>
          place.member === member ? [{ ...place, chosen: chosen.includes(value) }] : [],
        ),
      );
      return ofMember.some((view) => view.chosen)
        ? ofMember
        : ofMember.map((view) => ({ ...view, chosen: true }));
    });
  });
}

/** The places of the units of a member in a value. */
type MemberPlaces = Omit<MemberView, "chosen">;

function createFinder(
  { tree, expander, permutations, probe }: ViewedArchitecture,
  { components, motionOf }: ValueLayouts,
  block: Block,
): (value: string) => MemberPlaces[] {
  const index = tree.blocks.indexOf(block);
  const owners = blockOwners(tree, block);
  const motions = rotationsOf(tree, block, expander).map((source) => motionOf({ source }));
  return (value) => {
    const ofValue = components.get(value) ?? [];
    if (ofValue.some((component) => holdsOthers(tree, component, index))) return [];
    const [component, ...more] = ofValue.filter(({ units }) =>
      units.some((list) => list.some((unit) => owners[unit] !== -1 && unit >= 0)),
    );
    if (component === undefined || more.length > 0) return [];
    const { shape } = entry(permutations.labels.values, value, "value");
    const other = entry(probe.types, value, "value").shape;
    if (component.axes.some((axis) => shape[axis] !== other[axis])) return [];
    return viewsOf(value, component, { tree, block, owners, motions });
  };
}

/** Checks whether a component holds units of other blocks, alone or together with units of this one. */
function holdsOthers(tree: UnitTree, { units }: ValueComponent, block: number): boolean {
  return units.some((list) =>
    list.some((unit) => unit >= 0 && (tree.blockOf[unit] !== block || tree.sharedBlocks.has(unit))),
  );
}

function viewsOf(
  value: string,
  component: ValueComponent,
  context: {
    readonly tree: UnitTree;
    readonly block: Block;
    readonly owners: Int32Array;
    readonly motions: readonly Motion[];
  },
): MemberPlaces[] {
  const { tree, block, owners, motions } = context;
  const maps = motions.map((motion) => component.move(motion));
  if (!maps.every((map) => map !== undefined)) return [];
  const owned = ownersOfPositions(tree, component.units, owners);
  return block.members.flatMap((member): MemberPlaces[] => {
    const places = positionsOfMember(member, owned, maps);
    if (places === undefined || !isWhole(member, owned, places)) return [];
    const { positions, slots } = places;
    const plain =
      slots === 1 && positions.length === owned.length && positions.every((p, unit) => p === unit);
    const view = { value, axes: component.axes, ...(plain ? {} : { positions, slots }) };
    return [{ member, view }];
  });
}

/** Checks whether every unit has positions that hold it: otherwise slots of two units need not correspond. */
function isWhole({ symmetry }: Member, owned: Int32Array, { positions, slots }: MemberPositions): boolean {
  return positions.every((position, i) => owned[position] === symmetry.firstUnit + Math.floor(i / slots));
}
