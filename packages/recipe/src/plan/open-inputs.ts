import { at, type Checkpoint, entry, InputError, isIsthmusError, UsageError } from "@isthmus/core";
import type { Measurement } from "@isthmus/merging";
import { inferLayout, type Layout } from "../layout/infer-layout.ts";
import { inferModules, type Modules } from "../layout/modules.ts";
import { formatPlace } from "../read/positions.ts";
import type { AlignSetting, ModelReference, Recipe } from "../recipe/recipe.ts";
import type { Path } from "../recipe/shape.ts";
import { keyOf, type Member } from "./groups.ts";
import type { RoledGroup } from "./roles.ts";

/** A network of a recipe, opened. */
export interface Input {
  /** Position in the plan. */
  readonly index: number;
  readonly network: Checkpoint;
  readonly layout: Layout;
  readonly modules: Modules;
  /** What was measured of it, for methods that need it. */
  readonly measured: MeasuredInput | undefined;
}

/** What was measured of a network, and where the recipe names its file. */
export interface MeasuredInput {
  /** Position in the plan. */
  readonly index: number;
  readonly checkpoint: Checkpoint;
  readonly path: Path;
}

/** A network that is aligned, or that another one is aligned to. */
export interface AlignedInput {
  readonly reference: ModelReference;
  readonly network: Checkpoint;
}

/**
 * Aligns networks to another one, and returns them with their units in its order: each by itself, or all
 * together where the setting has `many`.
 */
export type AlignInputs = (
  inputs: readonly AlignedInput[],
  target: AlignedInput,
  setting: AlignSetting,
) => Promise<readonly Checkpoint[]>;

/** How networks of a recipe are opened. */
export interface OpenOptions {
  /** Opens the network of a reference that is no recipe; it is called once for each. */
  readonly open: (reference: ModelReference) => Promise<Checkpoint>;
  readonly align?: AlignInputs | undefined;
}

/**
 * The networks of a recipe, in the order in which it names them, each followed by what was measured of it.
 */
export interface Inputs {
  readonly networks: readonly Checkpoint[];
  readonly inputs: readonly Input[];
  inputOf(member: Member): Input;
}

/** Opens the networks of groups, each once, and aligns the ones that ask for it. */
export async function openInputs(
  recipe: Recipe,
  groups: readonly RoledGroup[],
  { open, align: alignInputs, needs }: OpenOptions & { readonly needs: Measurement | undefined },
): Promise<Inputs> {
  const align = alignInputs && rememberAlignments(alignInputs);
  const opened = new Map<string, Promise<Checkpoint>>();
  const inputs = new Map<string, Input>();
  const networks: Checkpoint[] = [];
  const openMeasured = async ({ measured, path }: Member): Promise<MeasuredInput | undefined> => {
    const file = needs && measured[needs];
    if (needs === undefined || file === undefined) return undefined;
    const place = [...path, needs];
    const checkpoint = await atPlace(recipe, { path: place }, () => openOnce(file));
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
      const network = await atPlace(recipe, member, () =>
        member.align ? alignMember(member, group, { open: openOnce, align }) : openOnce(member.reference),
      );
      const layout = inferLayout(network);
      const modules = inferModules(layout, network.tensors.keys());
      const index = networks.push(network) - 1;
      const measured = await openMeasured(member);
      inputs.set(memberKey(member), { index, network, layout, modules, measured });
    }
  }
  return {
    networks,
    inputs: [...inputs.values()],
    inputOf: (member) => entry(inputs, memberKey(member), "network"),
  };
}

/** Opens a network; if it cannot be opened, the message says where the recipe names it. */
export async function atPlace(
  recipe: Recipe,
  { path }: Pick<Member, "path">,
  open: () => Promise<Checkpoint>,
): Promise<Checkpoint> {
  try {
    return await open();
  } catch (error) {
    if (!isIsthmusError(error, "InputError")) throw error;
    const { message, input } = error as InputError;
    throw new InputError(`${message} (${formatPlace(recipe, path)})`, { input, cause: error });
  }
}

/** Lists the networks of a group with its base, which comes last. */
export function membersOf({ networks, ancestor }: RoledGroup): readonly Member[] {
  return ancestor === undefined ? networks : [...networks, ancestor];
}

async function alignMember(
  member: Member,
  group: RoledGroup,
  { open, align }: OpenOptions,
): Promise<Checkpoint> {
  const target = group.ancestor ?? group.networks.find((other) => !other.align);
  if (target === undefined || target.align) throw noTarget();
  if (align === undefined) throw noAligner();
  const setting = settingOf(member);
  const inputs: AlignedInput[] = [];
  const companions = setting.many === undefined ? [member] : alignedTogether(group, setting);
  for (const { reference } of companions) inputs.push({ reference, network: await open(reference) });
  const to = { reference: target.reference, network: await open(target.reference) };
  const aligned = await align(inputs, to, setting);
  const position = companions.findIndex(({ reference }) => keyOf(reference) === keyOf(member.reference));
  return at(aligned, position, "aligned network");
}

function settingOf({ align }: Member): AlignSetting {
  if (align === "universe") return { many: "best" };
  return typeof align === "boolean" ? {} : align;
}

/** Lists the networks of a group that are aligned together by one setting, each once. */
function alignedTogether(group: RoledGroup, setting: AlignSetting): readonly Member[] {
  const members = new Map<string, Member>();
  for (const member of membersOf(group)) {
    if (!member.align || JSON.stringify(settingOf(member)) !== JSON.stringify(setting)) continue;
    members.set(keyOf(member.reference), member);
  }
  return [...members.values()];
}

function memberKey({ reference, align, measured }: Member): string {
  return `${keyOf(reference)} ${JSON.stringify([align, measured])}`;
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

/** Aligns networks once, however often the same are asked for. */
export function rememberAlignments(align: AlignInputs): AlignInputs {
  const results = new Map<string, Promise<readonly Checkpoint[]>>();
  return (inputs, target, setting) => {
    const key = JSON.stringify([inputs.map(({ reference }) => reference), target.reference, setting]);
    const result = results.get(key) ?? align(inputs, target, setting);
    results.set(key, result);
    return result;
  };
}
