import { at, type Checkpoint, createCheckpoint, createFolder, entry, saveFile } from "@isthmus/core";
import {
  assertNoModel,
  type MergePlan,
  type OpenedMerge,
  type SaveMergeResult,
  saveAdapterConfig,
  saveMerge,
} from "@isthmus/merging";
import { join } from "@isthmus/platform";
import { assertNoModelFolder } from "@isthmus/zoo";
import type {
  BuildMixtureOptions,
  BuildMixtureResult,
  PlannedMixture,
} from "../build/build-mixture-options.ts";
import { describeMixture, savingOptions } from "../build/describe-mixture.ts";
import { removeKeptGates } from "../build/keep-gates.ts";
import { computeGates, type MakeGatesOptions, openKeptGates } from "../build/open-gates.ts";
import type { OpenMixtureOptions } from "../build/open-mixture.ts";
import type { ReadMixtureRecipe } from "../build/read-mixture-recipe.ts";
import type { AdapterLayout } from "./adapter-layout.ts";
import { type OpenedAdapterMixture, openAdapterMixture } from "./open-adapter-mixture.ts";
import {
  fillRouter,
  joinPlans,
  listRouterTensors,
  planFiles,
  ROUTER,
  zeroRouter,
} from "./plan-adapter-mixture.ts";

/** Names of the files of weights and of settings in each folder of a mixture. */
const [WEIGHTS, SETTINGS] = ["adapter_model.safetensors", "adapter_config.json"];

/** Plans a mixture of adapters; fine-tunes are compared with the base, and no factors are computed. */
export async function planAdapterMixture(
  read: ReadMixtureRecipe,
  layout: AdapterLayout,
  { onNote, ...options }: OpenMixtureOptions & Pick<BuildMixtureOptions, "onNote">,
): Promise<PlannedMixture & { readonly plan: MergePlan }> {
  const opened = await openAdapterMixture(read, layout, options);
  try {
    for (const note of opened.notes) onNote?.(note);
    const plan = joinPlans(opened, planFiles(opened, zeroRouter(opened)));
    return { ...describe(opened, plan), plan };
  } finally {
    await opened.close();
  }
}

/**
 * Makes a mixture of adapters of one base, and saves it as a folder that PEFT loads: a folder for each
 * adapter, and beside them the router and the settings of the mixture.
 *
 * Files are written one after the other within a limit of memory; the same call goes on after an
 * interruption, and makes the same bytes.
 */
export async function buildAdapterMixture(
  read: ReadMixtureRecipe,
  output: string,
  { layout, ...options }: BuildMixtureOptions & { readonly layout: AdapterLayout },
): Promise<BuildMixtureResult> {
  const { resume = true, onNote, onProgress, engine, signal } = options;
  const opened = await openAdapterMixture(read, layout, options);
  let router: Checkpoint | undefined;
  try {
    for (const folder of ["", ...opened.experts.keys()]) {
      await assertNoModel(join(output, String(folder)));
      await assertNoModelFolder(join(output, String(folder)), foldersOf(opened));
    }
    for (const note of opened.notes) onNote?.(note);
    if (!resume) await removeKeptGates(output);
    const gates = {
      engine,
      signal,
      onNote,
      onProgress: (done: number) => onProgress?.({ phase: "gates", done }),
    };
    const {
      gateMode: mode,
      gated: experts,
      experts: { length },
      base,
      seed,
    } = opened;
    const files = base.checkpoint.files;
    const keeping = { mode, experts, active: length, seed, tensors: listRouterTensors(opened), files };
    router = await openKeptGates(output, keeping, gates, () => makeRouter(opened, gates));
    const plans = planFiles(opened, router);
    const saved = await saveFiles(read, { output, opened, plans }, options);
    const modelFiles = await saveSettings(read, output, opened);
    await removeKeptGates(output);
    return { ...describe(opened, joinPlans(opened, plans)), output: saved, modelFiles };
  } finally {
    await router?.close();
    await opened.close();
  }
}

/** Lists the folders that no folder of the result may be. */
function foldersOf({ base, experts }: OpenedAdapterMixture): readonly string[] {
  return [base.directory, ...experts.map(({ model, adapter }) => model?.directory ?? adapter.source)];
}

async function makeRouter(opened: OpenedAdapterMixture, options: MakeGatesOptions) {
  const { base, gated: experts, gateMode, seed, features } = opened;
  const { length } = experts;
  const context = { base, experts, active: length, reads: "last", features, seed, ...options } as const;
  return fillRouter(opened, at(await computeGates(gateMode, context, length), 0, "router"));
}

/** Files of a mixture: their folder, and how each is made. */
interface PlannedFiles {
  readonly output: string;
  readonly opened: OpenedAdapterMixture;
  readonly plans: ReadonlyMap<string, MergePlan>;
}

/** Writes the files of weights, and returns what all of them took. */
async function saveFiles(
  { recipe }: ReadMixtureRecipe,
  { output, opened, plans }: PlannedFiles,
  options: BuildMixtureOptions,
): Promise<SaveMergeResult> {
  const { layout, gateMode, seed } = opened;
  const made = { seed, layout: layout.name, gates: gateMode.name, recipe };
  const files: SaveMergeResult[] = [];
  for (const [i, [folder, plan]] of [...plans].entries()) {
    await createFolder(join(output, folder));
    const saved = await saveMerge(plan, join(output, folder, WEIGHTS), {
      ...savingOptions(options, { ...made, part: folder }),
      onProgress: ({ done }) => options.onProgress?.({ phase: "writing", done: (i + done) / plans.size }),
    });
    files.push(saved);
  }
  return { ...files.reduce(addSaved), path: output };
}

/** Adds up what two files took. */
function addSaved(a: SaveMergeResult, b: SaveMergeResult): SaveMergeResult {
  return {
    ...b,
    files: [...a.files, ...b.files],
    bytes: a.bytes + b.bytes,
    resumedBytes: a.resumedBytes + b.resumedBytes,
    seconds: a.seconds + b.seconds,
    tensors: {
      merged: a.tensors.merged + b.tensors.merged,
      copied: a.tensors.copied + b.tensors.copied,
      absent: [],
    },
  };
}

/** Writes the settings of adapters and mixture, and the recipe. */
async function saveSettings(
  { text }: ReadMixtureRecipe,
  output: string,
  { layout, base, experts, active, features }: OpenedAdapterMixture,
): Promise<readonly string[]> {
  const folders = experts.map((_, i) => join(output, String(i)));
  for (const [i, { adapter }] of experts.entries())
    await saveAdapterConfig(adapter, at(folders, i, "folder"));
  const hidden = features?.bias.data.length ?? 0;
  const extents = { base: base.checkpoint.source, width: base.width, folders, active, hidden };
  const settings = layout.settings(extents);
  await saveFile(join(output, SETTINGS), `${JSON.stringify(settings, undefined, 2)}\n`, []);
  await saveFile(join(output, "recipe.yml"), text, []);
  return [SETTINGS, "recipe.yml", ...experts.map((_, i) => `${i}/${SETTINGS}`)];
}

/**
 * Opens the file of a mixture of adapters that a record describes, to make it again.
 * @param part - folder of the file within the mixture
 */
export async function openRecordedPart(
  read: ReadMixtureRecipe,
  { layout, part, seed }: { readonly layout: AdapterLayout; readonly part: string; readonly seed: number },
  options: MakeGatesOptions,
): Promise<OpenedMerge> {
  const opened = await openAdapterMixture(read, layout, { seed });
  try {
    const router =
      part === ROUTER ? createCheckpoint(await makeRouter(opened, options), {}, "gates") : zeroRouter(opened);
    return { plan: entry(planFiles(opened, router), part, "part"), close: opened.close };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

function describe(opened: OpenedAdapterMixture, plan: MergePlan): PlannedMixture {
  const { layout, gateMode, experts, active = experts.length, base } = opened;
  const sizes = { experts: experts.length, active, shared: false, layers: base.layers };
  return describeMixture({ layout: layout.name, gateMode: gateMode.name, ...sizes }, plan);
}
