import { type Checkpoint, entry, FormatError, parseJson, sizeOf, toFloat64 } from "@isthmus/core";
import { encodeUtf8 } from "@isthmus/platform";
import type { Adapter } from "./adapter.ts";
import { parseAdapterConfig, type ScaleOf, scalesOf } from "./adapter-config.ts";
import { createFileAdapter, listModules, SETTINGS_KEY } from "./adapter-file.ts";
import { expandFactors, findFactored, withRows } from "./kinds/expand-factors.ts";
import { MULTIPLIED_KINDS } from "./kinds/kind-tables.ts";
import { openMultiplied } from "./kinds/multiplied-weight.ts";
import { namingOf } from "./names/name-style.ts";

/**
 * Opens a file with names of kohya, diffusers, ComfyUI or LyCORIS as an adapter; the numerators of its scales
 * are read. Changes of LoHa, LoKr and LoCon become low-rank changes whose factors are computed when they are
 * read. Changes of OFT, BOFT and IA3 multiply weights.
 * @throws FormatError if a numerator is not one finite number
 * @throws MismatchError if a module lacks a factor, or the shapes of its factors do not fit each other
 * @throws UnsupportedError if the file has tensors of another kind of adapter
 */
export async function openAdapterFile(checkpoint: Checkpoint): Promise<Adapter> {
  const { source } = checkpoint;
  const kinds = MULTIPLIED_KINDS.filter(({ peftType }) => peftType === undefined);
  const { multiplied, keys } = await openMultiplied(kinds, { source, checkpoint, settings: {} });
  const others = new Map([...checkpoint.tensors].filter(([key]) => !keys.has(key)));
  const [first] = multiplied.keys();
  const adapter =
    others.size === 0 && first !== undefined
      ? emptyAdapter(checkpoint, first)
      : await openProducts({ ...checkpoint, tensors: others });
  return { ...adapter, multiplied, close: () => checkpoint.close() };
}

function emptyAdapter(checkpoint: Checkpoint, module: string): Adapter {
  return {
    source: checkpoint.source,
    checkpoint,
    naming: namingOf(module),
    config: undefined,
    modules: new Map(),
    multiplied: new Map(),
    replaced: new Map(),
    close: () => checkpoint.close(),
  };
}

/** Opens the changes that are products of matrices, which are all other tensors of the file. */
async function openProducts(checkpoint: Checkpoint): Promise<Adapter> {
  const { source } = checkpoint;
  const factored = findFactored(source, checkpoint);
  const scaled = new Map<string, number>();
  for (const { name, alpha, change } of factored) {
    if (alpha === undefined || change.rank === undefined) continue;
    scaled.set(name, (await readAlpha(checkpoint, alpha)) / change.rank);
  }
  const expanded = expandFactors(checkpoint, factored, scaled);
  const settings = readSettings(checkpoint);
  const scales = new Map<string, number>();
  for (const { name, alpha, rank } of listModules(source, expanded)) {
    if (alpha !== undefined) scales.set(name, (await readAlpha(checkpoint, alpha)) / rank);
    const [component = "", inside = ""] = /^([^.]+)\.(.+)$/.exec(name)?.slice(1) ?? [];
    const scaleOf = settings.get(component);
    if (alpha === undefined && scaleOf !== undefined) scales.set(name, scaleOf(inside, rank));
  }
  const adapter = createFileAdapter(source, expanded, scales);
  return withRows(adapter, factored, scaled);
}

/**
 * Reads the numerator of a scale from its tensor.
 * @throws FormatError if it is not one finite number
 */
export async function readAlpha(checkpoint: Checkpoint, name: string): Promise<number> {
  const { shape } = entry(checkpoint.tensors, name, "tensor");
  const count = sizeOf(shape);
  if (count !== 1) throw alphaError(checkpoint, name, `${count} numbers`);
  const { data, dtype } = await checkpoint.read(name);
  const [alpha] = toFloat64(data, dtype);
  if (alpha === undefined || !Number.isFinite(alpha)) throw alphaError(checkpoint, name, String(alpha));
  return alpha;
}

function alphaError({ source }: Checkpoint, name: string, value: string): FormatError {
  return new FormatError(
    `Cannot use adapter "${source}" as "${name}" must be one finite number: it is ${value}`,
    { format: "LoRA" },
  );
}

/** Reads the scales from the settings that diffusers keeps in metadata, by the part of the pipeline. */
function readSettings({ source, metadata }: Checkpoint): ReadonlyMap<string, ScaleOf> {
  const json = metadata[SETTINGS_KEY];
  if (json === undefined) return new Map();
  const parsed = parseJson(encodeUtf8(json), { attempt: `read "${SETTINGS_KEY}" of "${source}"` });
  const settings = new Map<string, Record<string, unknown>>();
  for (const [key, value] of Object.entries(parsed ?? {})) {
    const [, component = "", name = ""] = /^([^.]+)\.(.+)$/.exec(key) ?? [];
    settings.set(component, { ...settings.get(component), [name]: value });
  }
  return new Map(
    [...settings].map(([component, raw]) => [component, scalesOf(parseAdapterConfig(raw, source))]),
  );
}
