import { readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  assertNoInput,
  at,
  byteLengthOf,
  type Checkpoint,
  createFolder,
  openCheckpoint,
  openCheckpointWithin,
  readJsonFile,
  resolveModelPath,
  type SaveCheckpointOptions,
  saveCheckpoint,
  saveFile,
  sumOf,
  UsageError,
} from "@isthmus/core";
import { type DiffusersLayout, toDiffusersLayout, toOriginalLayout } from "@isthmus/merging";
import { listSettings } from "./layout-settings.ts";

/** Layouts of diffusion models that `--layout` names. */
export const LAYOUTS = ["diffusers", "original"] as const;

/** Choices of `--unknown` for tensors that belong to no network. */
export const UNKNOWN = ["keep", "drop"] as const;

/** Folder in which tensors of no network are kept, and their file. */
const ASIDE = { folder: "unconverted", file: "model.safetensors" };
const INDEX = "model_index.json";

/** Folders of a pipeline that may have networks. */
const PART = /^(unet|transformer|vae|text_encoder(_\d)?)$/;

/** Most folders of a pipeline that are looked into. */
const MOST_FOLDERS = 100;

/** Options of {@link convertLayout}. */
export interface ConvertLayoutOptions {
  /** Layout to write. */
  readonly layout: (typeof LAYOUTS)[number];
  /** Whether tensors that belong to no network are kept aside or dropped. */
  readonly unknown: (typeof UNKNOWN)[number];
  /** Folder of diffusers whose settings and tokenizers are taken; undefined to go by shapes. */
  readonly base: string | undefined;
  /** Options of saving weights. */
  readonly saving: SaveCheckpointOptions;
  /** Called with each sentence that the user should read. */
  readonly onNote: (note: string) => void;
}

/** Files of a model in another layout. */
export interface ConvertedLayout {
  /** Path that was asked for. */
  readonly path: string;
  /** Paths of all files that were written. */
  readonly files: readonly string[];
  /** Total size of the files of weights in bytes. */
  readonly bytes: number;
}

/**
 * Writes a single file of a diffusion model as a folder of diffusers, or such a folder as a single file.
 * Weights are streamed. `model_index.json` is written last, so that it stands in complete folders alone.
 */
export async function convertLayout(
  input: string,
  output: string,
  options: ConvertLayoutOptions,
): Promise<ConvertedLayout> {
  return options.layout === "diffusers"
    ? writeFolder(input, output, options)
    : writeFile(input, output, options);
}

async function writeFolder(
  input: string,
  output: string,
  { base, unknown, saving, onNote }: ConvertLayoutOptions,
): Promise<ConvertedLayout> {
  await using checkpoint = await openCheckpoint(input);
  const layout = toDiffusersLayout(checkpoint);
  const isAlone = layout.settings.size === 0;
  const isFile = output.endsWith(".safetensors");
  const aside = unknown === "keep" ? layout.unknown : undefined;
  if (isFile) assertOneFile(output, layout, aside);
  noteUnknown([...(layout.unknown?.tensors.keys() ?? [])], {
    onNote,
    what:
      unknown === "keep"
        ? `kept in ${join(output, ASIDE.folder)}, from where --layout original takes them`
        : "left out",
  });
  const settings = isFile ? new Map<string, Uint8Array>() : await listSettings(layout, base);
  if (!isFile) await removeEarlier(output, checkpoint, base);
  const saved = await saveAll(
    [
      ...layout.parts.map((part) => ({
        checkpoint: part.checkpoint,
        path: isFile ? output : join(output, isAlone ? "" : part.folder, part.file),
      })),
      ...(aside === undefined ? [] : [{ checkpoint: aside, path: asidePath(output) }]),
    ],
    saving,
  );
  const written: string[] = [];
  for (const [name, content] of settings) {
    const path = join(output, name);
    await createFolder(dirname(path));
    await saveFile(path, content, checkpoint.files);
    written.push(path);
  }
  noteTokenizers(layout, settings, onNote);
  return { path: output, files: [...saved.files, ...written], bytes: saved.bytes };
}

/** Returns the path of the file in which a folder keeps tensors of no network. */
function asidePath(folder: string): string {
  return join(folder, ASIDE.folder, ASIDE.file);
}

/** Removes what would mix with new files: the list of an earlier pipeline's parts, and its odd tensors. */
async function removeEarlier(output: string, { files }: Checkpoint, base: string | undefined): Promise<void> {
  const earlier = [join(output, INDEX), asidePath(output)];
  await assertNoInput(earlier, [...files, ...(base === undefined ? [] : [join(base, INDEX)])]);
  for (const path of earlier) await rm(path, { force: true });
}

function assertOneFile(output: string, { parts }: DiffusersLayout, aside: Checkpoint | undefined): void {
  if (parts.length > 1) {
    throw new UsageError(
      `Cannot write "${output}" with --layout diffusers as a model of ${parts.length} networks is a folder there: name a folder`,
    );
  }
  if (aside === undefined) return;
  const [name = ""] = aside.tensors.keys();
  throw new UsageError(
    `Cannot write "${output}" with --unknown keep as ${aside.tensors.size} tensors of no network, such as "${name}", need a folder: name a folder, or add --unknown drop`,
  );
}

/** Says which tensors belong to no network of the architecture, and what happens to them. */
function noteUnknown(
  names: readonly string[],
  { onNote, what }: { readonly onNote: (note: string) => void; readonly what: string },
): void {
  const [name] = names;
  if (name === undefined) return;
  const subject =
    names.length === 1
      ? `1 tensor, "${name}", belongs`
      : `${names.length} tensors, such as "${name}", belong`;
  onNote(`${subject} to no network of the architecture: ${what}.`);
}

/** Says which tokenizers the pipeline needs in addition, as no weights tell them. */
function noteTokenizers(
  { tokenizers }: DiffusersLayout,
  settings: ReadonlyMap<string, unknown>,
  onNote: (note: string) => void,
): void {
  const names = [...settings.keys()];
  const missing = Object.keys(tokenizers).filter(
    (name) => !names.some((file) => file.startsWith(`${name}/`)),
  );
  if (missing.length === 0) return;
  onNote(
    `The folder has no ${missing.join(" and ")}, which a single file does not contain: pass them to from_pretrained, or take them from a folder of the same architecture by --base.`,
  );
}

async function writeFile(
  input: string,
  output: string,
  { unknown, saving, onNote }: ConvertLayoutOptions,
): Promise<ConvertedLayout> {
  if (!output.endsWith(".safetensors")) {
    throw new UsageError(
      `Cannot write "${output}" with --layout original as that is one file: name a file ending in .safetensors`,
    );
  }
  const folder = await resolveModelPath(input);
  const parts = new Map<string, Checkpoint>();
  let aside: Checkpoint | undefined;
  try {
    const { networks, others } = await listNetworks(folder);
    for (const name of networks) parts.set(name, await openNetwork(folder, name));
    if (parts.size === 0) parts.set("", await openNetwork(folder, ""));
    const place = asidePath(folder);
    if (await isThere(place)) aside = await openCheckpointWithin(place, folder);
    for (const name of others)
      onNote(`"${join(folder, name)}" has weights that a single file has no place for: left out.`);
    const { checkpoint, unknown: names } = toOriginalLayout(parts, {
      aside,
      dropsUnknown: unknown === "drop",
    });
    noteUnknown(names, { onNote, what: unknown === "drop" ? "left out" : "kept under such names" });
    return { path: output, ...(await saveAll([{ checkpoint, path: output }], saving)) };
  } finally {
    await aside?.close();
    for (const checkpoint of parts.values()) await checkpoint.close();
  }
}

/** Lists the folders of a pipeline that have networks: the parts of a single file, and others. */
async function listNetworks(
  folder: string,
): Promise<{ readonly networks: readonly string[]; readonly others: readonly string[] }> {
  const all = (await readdir(folder).catch(() => [])).slice(0, MOST_FOLDERS);
  const index = all.includes(INDEX) ? await readJsonFile(join(folder, INDEX), { within: folder }) : undefined;
  const names: string[] = [];
  for (const name of all) {
    const files = await readdir(join(folder, name)).catch(() => []);
    if (files.some((file) => /\.(safetensors|bin)$/.test(file))) names.push(name);
  }
  names.sort();
  const isPart = (name: string) => PART.test(name) && (index === undefined || isNamed(index, name));
  return {
    networks: names.filter(isPart),
    others: names.filter((name) => !isPart(name) && name !== ASIDE.folder),
  };
}

/** Tells whether `model_index.json` names a class for a part of a pipeline. */
function isNamed(index: unknown, name: string): boolean {
  const entries = new Map<string, unknown>(Object.entries(index ?? {}));
  const value = entries.get(name);
  return Array.isArray(value) && value[1] !== null;
}

/** Opens the weights of a network of a pipeline, in full precision if there are several files of them. */
async function openNetwork(folder: string, name: string): Promise<Checkpoint> {
  const place = join(folder, name);
  for (const stem of ["diffusion_pytorch_model", "model"]) {
    for (const ending of [".safetensors", ".safetensors.index.json"]) {
      const path = join(place, stem + ending);
      if (await isThere(path)) return openCheckpointWithin(path, folder);
    }
  }
  return openCheckpoint(place);
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Saves several checkpoints with one progress over all of them. */
async function saveAll(
  targets: readonly { readonly checkpoint: Checkpoint; readonly path: string }[],
  saving: SaveCheckpointOptions,
): Promise<Pick<ConvertedLayout, "files" | "bytes">> {
  const sizes = targets.map(({ checkpoint }) => sumOf([...checkpoint.tensors.values()].map(byteLengthOf)));
  const totalBytes = Math.max(1, sumOf(sizes));
  const files: string[] = [];
  let [bytes, before] = [0, 0];
  for (const [i, { checkpoint, path }] of targets.entries()) {
    const size = at(sizes, i, "size");
    const onProgress = ({ done }: { readonly done: number }) =>
      saving.onProgress?.({
        done: (before + done * size) / totalBytes,
        doneBytes: before + done * size,
        totalBytes,
      });
    const saved = await saveCheckpoint(checkpoint, path, { ...saving, onProgress });
    files.push(...saved.files);
    bytes += saved.bytes;
    before += size;
  }
  return { files, bytes };
}
