import type { Graph, Node, Probe } from "@isthmus/graph";
import { capturedNames } from "@isthmus/graph/ir";
import type { UnitView } from "@isthmus/statistics";
import {
  type Derivation,
  layOutValues,
  type Motion,
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

/**
 * Which values speak for the units they carry: those that layers read (products and convolutions), or all that are computed
 * from the data.
 */
export type ActivationChoice = "read" | "all";

/** A view of a value whose units are those of a member, in order. */
export interface MemberView {
  readonly member: Member;
  readonly view: UnitView;
  /** Whether its value is of the choice, or the member has none that is. */
  readonly chosen: boolean;
}

/** An architecture whose values are searched for units. */
export interface ViewedArchitecture {
  readonly graph: Graph;
  readonly derivation: Derivation;
  /** A probe with another batch than the derivation's, which shows what extents depend on the batch. */
  readonly probe: Probe;
  readonly tree: UnitTree;
  readonly expander: PlacementExpander;
}

/**
 * Finds the values that carry the units of each member of each block, and where its units lie in them.
 *
 * Left out are values where units of another block lie as well, since their samples correspond only once that block has
 * been placed, and those whose units share an axis with the batch.
 */
export function findActivationViews(
  architecture: ViewedArchitecture,
  choice: ActivationChoice,
): MemberView[] {
  const { tree, graph } = architecture;
  const layouts = layOutValues(architecture.derivation);
  const all = computedValues(graph);
  const chosen = choice === "all" ? all : readValues(graph, all);
  return tree.blocks.flatMap((block) => {
    const finder = createFinder(architecture, layouts, block);
    const views = all.map((value) => ({ value, found: finder(value) }));
    return block.members.flatMap((member): MemberView[] => {
      const own = views.flatMap(({ value, found }) =>
        found.flatMap((place) =>
          place.member === member ? [{ ...place, chosen: chosen.includes(value) }] : [],
        ),
      );
      return own.some((view) => view.chosen) ? own : own.map((view) => ({ ...view, chosen: true }));
    });
  });
}

type Found = Omit<MemberView, "chosen">;

function createFinder(
  { tree, expander, derivation, probe }: ViewedArchitecture,
  { components, motionOf }: ValueLayouts,
  block: Block,
): (value: string) => Found[] {
  const index = tree.blocks.indexOf(block);
  const owners = blockOwners(tree, block);
  const motions = rotationsOf(tree, block, expander).map((source) => motionOf({ source }));
  return (value) => {
    const shape = derivation.labels.values.get(value)?.shape ?? [];
    const other = probe.types.get(value)?.shape ?? [];
    const own = components.get(value) ?? [];
    if (own.some((component) => holdsOthers(tree, component, index))) return [];
    const [component, ...more] = own.filter(({ units }) =>
      units.some((list) => list.some((unit) => owners[unit] !== -1 && unit >= 0)),
    );
    if (component === undefined || more.length > 0) return [];
    if (component.axes.some((axis) => shape[axis] !== other[axis])) return [];
    return viewsOf(value, component, { tree, block, owners, motions });
  };
}

/** Whether a component holds units of other blocks, alone or together with those of this one. */
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
): Found[] {
  const { tree, block, owners, motions } = context;
  const maps = motions.map((motion) => component.move(motion));
  if (!maps.every((map) => map !== undefined)) return [];
  const owned = ownersOfPositions(tree, component.units, owners);
  return block.members.flatMap((member): Found[] => {
    const found = positionsOfMember(member, owned, maps);
    if (found === undefined || !isWhole(member, owned, found)) return [];
    const { positions, slots } = found;
    const plain =
      slots === 1 && positions.length === owned.length && positions.every((p, unit) => p === unit);
    const view = { value, axes: component.axes, ...(plain ? {} : { positions, slots }) };
    return [{ member, view }];
  });
}

/** Whether every unit was found, with positions that are its own: else slots of two units need not correspond. */
function isWhole({ symmetry }: Member, owned: Int32Array, { positions, slots }: MemberPositions): boolean {
  return positions.every((position, i) => owned[position] === symmetry.firstUnit + Math.floor(i / slots));
}

/** Operators that only move values about, so that what they compute says nothing that their input does not. */
const MOVES: ReadonlySet<string> = new Set(
  "Identity Cast Reshape Flatten Transpose Squeeze Unsqueeze Expand Dropout".split(" "),
);

/** Operators that multiply by weights, or activations by one another. */
const READS: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum"]);

/** Floating-point values that are computed from the data, those that others are only moved to excepted. */
function computedValues(graph: Graph): string[] {
  const dependent = new Set(graph.inputs.map(({ name }) => name));
  const values: string[] = [];
  for (const node of graph.nodes) {
    if (![...node.inputs, ...capturedNames(node)].some((name) => dependent.has(name))) continue;
    for (const name of node.outputs) {
      if (name === "") continue;
      dependent.add(name);
      if (!MOVES.has(node.op)) values.push(name);
    }
  }
  return values;
}

/** Those of some values that layers read, as they are or moved about. */
function readValues(graph: Graph, values: readonly string[]): string[] {
  const producer = new Map<string, Node>();
  for (const node of graph.nodes) for (const name of node.outputs) producer.set(name, node);
  const read = new Set<string>();
  for (const { op, inputs } of graph.nodes) {
    if (!READS.has(op)) continue;
    for (const input of inputs) {
      let name = input;
      for (
        let node = producer.get(name);
        node !== undefined && MOVES.has(node.op);
        node = producer.get(name)
      ) {
        name = node.inputs[0] ?? "";
      }
      read.add(name);
    }
  }
  return values.filter((value) => read.has(value));
}
