import {
  type Checkpoint,
  InputError,
  openCheckpoint,
  openCheckpointWithin,
  readJsonFile,
  resolveWholeName,
} from "@isthmus/core";
import { basename, dirname, join, stat } from "@isthmus/platform";
import { type Adapter, assertMagnitudes, createAdapter } from "./adapter.ts";
import { parseAdapterConfig, type ScaleOf, scalesOf } from "./adapter-config.ts";
import { type AdapterKind, findAdapterKind } from "./adapter-kind.ts";
import { isGgufAdapter, openGgufAdapter } from "./gguf-adapter.ts";
import { openPeftKind } from "./kinds/open-peft-kind.ts";
import { openAdapterFile } from "./open-adapter-file.ts";

/** Name of the file of settings in an adapter's folder by PEFT. */
export const CONFIG_FILE = "adapter_config.json";
/** Names of the file of weights in an adapter's folder by PEFT; the first file that exists is used. */
export const WEIGHT_FILES = ["adapter_model.safetensors", "adapter_model.bin"] as const;

/** Name of the file of weights in an adapter's folder by diffusers. */
export const WEIGHTS_OF_FILES = "pytorch_lora_weights.safetensors";

/**
 * Opens an adapter: a folder as PEFT saves it, with `adapter_config.json` and `adapter_model.safetensors`, of
 * LoRA, LoHa, LoKr, OFT, BOFT, HRA, IA3, VeRA or trainable tokens; a file under the names of kohya's
 * sd-scripts, LyCORIS, diffusers or ComfyUI, of LoRA, LoCon, LoHa, LoKr, OFT, BOFT or IA3; or a LoRA in a
 * GGUF file of llama.cpp. Only settings, headers and scales are read. The adapter must be closed after use.
 * @throws InputError if a folder lacks one of the files
 * @throws FormatError if a file is damaged
 * @throws MismatchError if weights do not fit each other
 * @throws UnsupportedError if the adapter is of another kind, or uses a variant that is not supported
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { applyAdapter, extractAdapter, openAdapter, saveAdapter } from "@isthmus/merging";
 *
 * const network = (...w: number[]) =>
 *   createCheckpoint({ "q.weight": createTensor("f32", [2, 2], Float32Array.from(w)) });
 * const base = network(1, 0, 0, 1);
 * await saveAdapter(extractAdapter(network(1, 2, 0, 1), base, { rank: 1 }).adapter, "tuned");
 * const adapter = await openAdapter("tuned");
 * const tuned = applyAdapter(base, adapter);
 * assert.equal((await tuned.read("q.weight")).data.length, 4);
 * await adapter.checkpoint.close();
 * ```
 */
export async function openAdapter(path: string): Promise<Adapter> {
  const place = (await findAdapterPlace(path)) ?? (await refuseOtherFile(path)) ?? { folder: path };
  if ("file" in place)
    return closeOnFailure(await openCheckpoint(place.file), (checkpoint) =>
      isGgufAdapter(checkpoint) ? openGgufAdapter(checkpoint) : openAdapterFile(checkpoint),
    );
  const { folder } = place;
  const settingsFile = join(folder, CONFIG_FILE);
  const settings = await readJsonFile(settingsFile, { within: folder });
  const weights = await openCheckpointWithin(await findWeights(folder), folder);
  // Settings decide the result as much as weights.
  return closeOnFailure(
    { ...weights, files: [...weights.files, settingsFile] },
    async (checkpoint) =>
      (await openPeftKind(folder, checkpoint, settings)) ??
      createAdapter(folder, checkpoint, parseAdapterConfig(settings, folder)),
  );
}

/**
 * Reads the function that computes the scales of an adapter in a folder of PEFT, from its settings.
 * @param names - names of the adapter's tensors
 * @returns undefined if the path is no folder with `adapter_config.json`
 * @throws FormatError if a setting is missing or of another type
 * @throws MismatchError if the settings say that there are lengths of rows (DoRA), and there are none
 * @throws UnsupportedError if the adapter is not LoRA, or uses a variant that is not supported
 */
export async function readAdapterScales(path: string, names: Iterable<string>): Promise<ScaleOf | undefined> {
  const file = join(path, CONFIG_FILE);
  if ((await stat(file).catch(() => undefined)) === undefined) return undefined;
  const config = parseAdapterConfig(await readJsonFile(file, { within: path }), path);
  assertMagnitudes(path, config, names);
  return scalesOf(config);
}

/**
 * Checks whether a path is an adapter: a folder that has an `adapter_config.json` and no `config.json` of a
 * model, or a file whose tensors are named like tensors of an adapter of any kind.
 */
export async function isAdapter(path: string): Promise<boolean> {
  return (await findAdapterPlace(path)) !== undefined;
}

/** Place of an adapter: a folder of PEFT, or one file. */
type AdapterPlace = { readonly folder: string } | { readonly file: string };

/** Finds the folder or file of an adapter; undefined if the path is something else, or cannot be opened. */
async function findAdapterPlace(named: string): Promise<AdapterPlace | undefined> {
  // A name that is not found is no adapter: opening it reports what is missing.
  const path = await resolveWholeName(named).catch(() => named);
  const has = async (name: string) => (await stat(join(path, name)).catch(() => undefined)) !== undefined;
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory() === true) {
    if (await has("config.json")) return undefined;
    if (await has(CONFIG_FILE)) return { folder: path };
    return (await has(WEIGHTS_OF_FILES)) ? { file: join(path, WEIGHTS_OF_FILES) } : undefined;
  }
  if (stats?.isFile() !== true) return undefined;
  const kind = await findKindOfFile(path);
  if (kind === undefined || kind.isWithNetwork) return undefined;
  const folder = dirname(path);
  const isOfFolder =
    WEIGHT_FILES.some((file) => file === basename(path)) && (await findAdapterPlace(folder)) !== undefined;
  return isOfFolder ? { folder } : { file: path };
}

/**
 * Checks that a path which is no adapter is not a file either.
 * @throws FormatError if it is a damaged file, or one that was cut short
 * @throws InputError if it is another file
 */
async function refuseOtherFile(path: string): Promise<undefined> {
  if ((await stat(path).catch(() => undefined))?.isFile() !== true) return;
  await (await openCheckpoint(path)).close();
  throw new InputError(
    `Cannot open adapter "${path}" as its tensors must be those of an adapter, such as lora_down and lora_up: they are the weights of a network`,
    { input: path },
  );
}

/** Finds the kind of adapter in a file; undefined if the file has no adapter, or is not a checkpoint. */
async function findKindOfFile(path: string): Promise<AdapterKind | undefined> {
  const checkpoint = await openCheckpoint(path).catch(() => undefined);
  if (checkpoint === undefined) return undefined;
  await checkpoint.close();
  return findAdapterKind(checkpoint.tensors.keys());
}

async function closeOnFailure(
  checkpoint: Checkpoint,
  open: (checkpoint: Checkpoint) => Adapter | Promise<Adapter>,
): Promise<Adapter> {
  try {
    return await open(checkpoint);
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

async function findWeights(folder: string): Promise<string> {
  for (const file of WEIGHT_FILES) {
    const path = join(folder, file);
    if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  }
  throw new InputError(
    `Cannot open adapter "${folder}" as it must hold ${WEIGHT_FILES[0]}: it holds ${CONFIG_FILE} only`,
    { input: folder },
  );
}
