import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type Checkpoint,
  createFolder,
  openCheckpoint,
  resolveWholeName,
  type SaveCheckpointOptions,
  saveCheckpoint,
  UsageError,
} from "@isthmus/core";
import {
  type Adapter,
  type AdapterNaming,
  assertNoModel,
  isAdapter,
  openAdapter,
  renameAdapter,
  saveAdapterConfig,
  shareFactors,
  weightFileOf,
} from "@isthmus/merging";

/** Programs after which `--adapter-names` names the tensors of an adapter, as the option writes them. */
export const ADAPTER_NAMES: Readonly<Record<string, AdapterNaming>> = {
  kohya: "kohya",
  diffusers: "diffusers",
  comfyui: "ComfyUI",
  peft: "PEFT",
};

/** Most folders that are looked into for adapters. */
const MOST_FOLDERS = 100;

/** Options of {@link convertAdapter}. */
export interface ConvertAdapterOptions {
  /** Key of {@link ADAPTER_NAMES}. */
  readonly names: string;
  /** Path of the network that the adapter changes; undefined to go by the names of known networks. */
  readonly base: string | undefined;
  /** Options of saving the weights, such as their element type. */
  readonly saving: SaveCheckpointOptions;
}

/** Files of an adapter that was written under other names. */
export interface ConvertedAdapter {
  /** Path that was asked for. */
  readonly path: string;
  /** Paths of all files that were written. */
  readonly files: readonly string[];
  /** Total size of the files of weights in bytes. */
  readonly bytes: number;
}

/**
 * Writes an adapter under the names of another program: a file or folder; for PEFT a folder, with one inside
 * for each network if the adapter changes several.
 * @throws InputError if there is no such input
 * @throws FormatError if its file is damaged or cut short
 * @throws UsageError if the input is no adapter, or the output is named like a file and PEFT's is a folder
 * @throws MismatchError if a name cannot be told, or two modules get one name
 */
export async function convertAdapter(
  input: string,
  output: string,
  { names, base, saving }: ConvertAdapterOptions,
): Promise<ConvertedAdapter> {
  const path = await resolveWholeName(input);
  if (!(await isAdapter(path))) throw await notAnAdapter(input, path);
  const naming = ADAPTER_NAMES[names];
  if (naming === undefined) throw new UsageError(`Cannot name tensors after "${names}" as it is not known`);
  if (naming === "PEFT" && output.endsWith(".safetensors")) {
    throw new UsageError(
      `Cannot write "${output}" with --adapter-names peft as an adapter of PEFT is a folder of weights and settings: name a folder`,
    );
  }
  const network = base === undefined ? undefined : await openCheckpoint(base);
  try {
    const adapter = await openAdapter(path);
    try {
      return await saveRenamed(adapter, { naming, base: network, output }, saving);
    } finally {
      await adapter.close();
    }
  } finally {
    await network?.close();
  }
}

/** Returns the error of an input that is no adapter, which names the adapters in its folder. */
async function notAnAdapter(input: string, path: string): Promise<UsageError> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  // Opening what is not there, damaged or cut short says so.
  if (entries === undefined) await (await openCheckpoint(path)).close();
  const adapters: string[] = [];
  for (const entry of (entries ?? []).filter((one) => one.isDirectory()).slice(0, MOST_FOLDERS)) {
    const folder = join(path, entry.name);
    if (await isAdapter(folder)) adapters.push(`"${folder}"`);
  }
  const advice =
    adapters.length === 0
      ? "leave the option out to convert a network"
      : `its folders ${adapters.sort().join(" and ")} are adapters of one network each: convert each by itself`;
  return new UsageError(
    `Cannot convert "${input}" with --adapter-names as it must be an adapter, whose tensors are factors of changes: ${advice}`,
  );
}

async function saveRenamed(
  opened: Adapter,
  {
    naming,
    base,
    output,
  }: { readonly naming: AdapterNaming; readonly base: Checkpoint | undefined; readonly output: string },
  saving: SaveCheckpointOptions,
): Promise<ConvertedAdapter> {
  // Only original names fuse modules, whose parts may have one factor.
  const isFused = naming === "kohya" || naming === "ComfyUI";
  const parts = renameAdapter(isFused ? await shareFactors(opened) : opened, naming, { base });
  const files: string[] = [];
  let bytes = 0;
  for (const { part, adapter } of parts) {
    const place = parts.length === 1 || part === undefined ? output : join(output, part);
    const saved = await saveOne(adapter, place, saving);
    files.push(...saved.files);
    bytes += saved.bytes;
  }
  return { path: output, files, bytes };
}

/** Saves an adapter to a file, or to a folder under the file names that its program expects. */
async function saveOne(
  adapter: Adapter,
  place: string,
  saving: SaveCheckpointOptions,
): Promise<Pick<ConvertedAdapter, "files" | "bytes">> {
  const isFile = place.endsWith(".safetensors");
  if (!isFile) {
    await assertNoModel(place);
    await createFolder(place);
  }
  const { checkpoint } = adapter;
  const saved = await saveCheckpoint(checkpoint, isFile ? place : join(place, weightFileOf(adapter)), {
    ...saving,
    metadata: { ...checkpoint.metadata, format: "pt" },
  });
  const settings = isFile ? [] : await saveAdapterConfig(adapter, place);
  return { files: [...saved.files, ...settings.map((name) => join(place, name))], bytes: saved.bytes };
}
