import {
  at,
  type Checkpoint,
  entry,
  type InputError,
  isIsthmusError,
  MismatchError,
  UsageError,
} from "@isthmus/core";
import type { MergeStatistic } from "@isthmus/merging";
import { inferLayout, type Layout } from "../layout/infer-layout.ts";
import { inferModules, type Modules } from "../layout/modules.ts";
import type { RecipePlaces } from "../recipe/places.ts";
import type { Path } from "../recipe/problem.ts";
import type { AlignSetting, ModelReference } from "../recipe/recipe.ts";
import { alignmentOf } from "./align-setting.ts";
import { keyOf, type Member } from "./groups.ts";
import { membersOf, type RoledGroup } from "./roles.ts";

/** An opened network of a recipe. */
export interface Input {
  /** Position in the plan. */
  readonly index: number;
  /** Opened network, already aligned if the recipe says so. */
  readonly network: Checkpoint;
  /** Layers of the network by the names of its tensors. */
  readonly layout: Layout;
  /** Parts of the network, such as towers, by the names of its tensors. */
  readonly modules: Modules;
  /** Statistics of the network's data; undefined if the method needs none or the recipe names none. */
  readonly measured: MeasuredInput | undefined;
}

/** Statistics of the data of a network, and the place in the recipe that names their file. */
export interface MeasuredInput {
  /** Position in the plan. */
  readonly index: number;
  /** Opened file of the statistics, with a tensor for each tensor that was measured. */
  readonly checkpoint: Checkpoint;
  /** Place in the recipe that names the file. */
  readonly path: Path;
}

/** A network that is aligned, or that another one is aligned to. */
export interface AlignedInput {
  /** Reference to the network, as in the recipe. */
  readonly reference: ModelReference;
  /** Opened network, with its units in their own order. */
  readonly network: Checkpoint;
}

/**
 * Aligns networks to a target, and returns them with their units in the order of the target: each network by
 * itself, or all together if the setting has `many`.
 */
export type AlignInputs = (
  inputs: readonly AlignedInput[],
  target: AlignedInput,
  setting: AlignSetting,
) => Promise<readonly Checkpoint[]>;

/** Functions that open and align the networks of a recipe. */
export interface OpenOptions {
  /** Opens the network of a reference that is not a recipe; called once for each network. */
  readonly open: (reference: ModelReference) => Promise<Checkpoint>;
  /** Aligns networks that have `align`. @defaultValue recipes with `align` are refused */
  readonly align?: AlignInputs | undefined;
}

/** Networks of a recipe in its order, each followed by the statistics of its data if there are any. */
export interface Inputs {
  /** Checkpoints that the plan reads from, by position: networks and files of statistics. */
  readonly networks: readonly Checkpoint[];
  /** Opened networks in the order of the recipe, each once for each setting of alignment and statistics. */
  readonly inputs: readonly Input[];
  /** Network whose names the result has: the base, or the first network if there is no base. */
  readonly template: Input;
  /** Returns the opened network of a member. */
  inputOf(member: Member): Input;
}

/** Opens the networks of groups, each once, and aligns those with a setting of alignment. */
export async function openInputs(
  places: RecipePlaces,
  groups: readonly RoledGroup[],
  { open, align: alignInputs, needs }: OpenOptions & { readonly needs: MergeStatistic | undefined },
): Promise<Inputs> {
  const align = alignInputs && rememberAlignments(alignInputs);
  const opened = new Map<string, Promise<Checkpoint>>();
  const inputs = new Map<string, Input>();
  const networks: Checkpoint[] = [];
  const openMeasured = async ({ measured, path }: Member): Promise<MeasuredInput | undefined> => {
    const file = needs && measured[needs];
    if (needs === undefined || file === undefined) return undefined;
    const place = [...path, needs];
    const checkpoint = await places.open(place, () => openOnce(file));
    return { index: networks.push(checkpoint) - 1, checkpoint, path: place };
  };
  const openOnce = (reference: ModelReference): Promise<Checkpoint> => {
    const key = keyOf(reference);
    const network = opened.get(key) ?? open(reference);
    opened.set(key, network);
    return network;
  };
  for (const group of groups) {
    for (const member of membersOf(group)) {
      if (inputs.has(memberKey(member))) continue;
      const network = member.align
        ? await alignMember(member, { places, group }, { open: openOnce, align })
        : await places.open(member.path, () => openOnce(member.reference));
      const layout = inferLayout(network);
      const modules = inferModules(layout, network.tensors.keys());
      const index = networks.push(network) - 1;
      const measured = await openMeasured(member);
      inputs.set(memberKey(member), { index, network, layout, modules, measured });
    }
  }
  const inputOf = (member: Member) => entry(inputs, memberKey(member), "network");
  const [first] = groups;
  if (first === undefined)
    throw new UsageError("Cannot plan the recipe as it must name a network: it has none");
  const template = inputOf(first.ancestor ?? first.networks[0]);
  return { networks, inputs: [...inputs.values()], template, inputOf };
}

/** Group of a network that is aligned, and the places of its recipe. */
interface AlignPlace {
  readonly places: RecipePlaces;
  readonly group: RoledGroup;
}

async function alignMember(
  member: Member,
  { places, group }: AlignPlace,
  { open, align }: OpenOptions,
): Promise<Checkpoint> {
  const target = group.ancestor ?? group.networks.find((other) => !other.align);
  if (target === undefined || target.align) throw noTarget();
  if (align === undefined) throw noAligner();
  const { setting, companions } = alignmentOf(member, group);
  const inputs: (AlignedInput & Pick<Member, "path">)[] = [];
  for (const { reference, path } of [...companions, target]) {
    inputs.push({ reference, path, network: await places.open(path, () => open(reference)) });
  }
  const position = companions.findIndex(({ reference }) => keyOf(reference) === keyOf(member.reference));
  try {
    const aligned = await align(inputs.slice(0, -1), at(inputs, companions.length, "target"), setting);
    return at(aligned, position, "aligned network");
  } catch (error) {
    if (!isIsthmusError(error, "InputError", "MismatchError")) throw error;
    const failed = error as InputError | MismatchError;
    const culprit = inputs.find(({ network }) => network.source === failed.input);
    if (culprit === undefined && failed instanceof MismatchError) throw error;
    throw places.locate((culprit ?? member).path, failed);
  }
}

function memberKey({ reference, align, measured }: Member): string {
  return `${keyOf(reference)} ${JSON.stringify([align ?? false, measured])}`;
}

function noTarget(): UsageError {
  return new UsageError(
    'Cannot align the networks of the recipe as one of them must stay as it is: all have "align"; leave it out of one',
  );
}

function noAligner(): UsageError {
  return new UsageError(
    'Cannot align the networks of the recipe as planRecipe() was called without "align": give it createAligner(engine)',
  );
}

/** Remembers the results of a function that aligns, so that equal requests are computed once. */
export function rememberAlignments(align: AlignInputs): AlignInputs {
  const results = new Map<string, Promise<readonly Checkpoint[]>>();
  return (inputs, target, setting) => {
    const key = JSON.stringify([inputs.map(({ reference }) => reference), target.reference, setting]);
    const result = results.get(key) ?? align(inputs, target, setting);
    results.set(key, result);
    return result;
  };
}
