import {
  at,
  type Checkpoint,
  entry,
  FormatError,
  MismatchError,
  parseJson,
  toFloat64,
  UnsupportedError,
} from "@isthmus/core";
import { encodeUtf8 } from "@isthmus/platform";
import { type Adapter, type AdapterModule, type AdapterNaming, rankOf } from "./adapter.ts";
import { parseAdapterConfig, type ScaleOf, scalesOf } from "./adapter-config.ts";
import { findAdapterKind } from "./adapter-kind.ts";

/**
 * Patterns for the names of the two factors of a module, and of the numerator of their scale, in files of
 * kohya and diffusers.
 */
const FACTOR = /^(.+?)(\.lora_|[._]lora(?:_linear_layer|_layer)?\.)(A|B|down|up)\.weight$/;
const ALPHA = /^(.+)\.alpha$/;

/** Key of a file's metadata that holds the settings of adapters by diffusers. */
const SETTINGS_KEY = "lora_adapter_metadata";

/** Keys of metadata that describe the factors, which a merge replaces. */
const OF_FACTORS: readonly string[] = [SETTINGS_KEY, "ss_network_dim", "ss_network_alpha"];

/** Factors by which the products of the matrices are multiplied, by the names of modules. */
export type AdapterScales = ReadonlyMap<string, number>;

/**
 * Opens a file with names of kohya or diffusers as an adapter; the numerators of its scales are read.
 * @throws FormatError if a numerator is not one finite number
 * @throws MismatchError if a module lacks one of its two matrices, or their ranks differ
 * @throws UnsupportedError if the file has tensors of another kind of adapter
 */
export async function openAdapterFile(checkpoint: Checkpoint): Promise<Adapter> {
  const { source } = checkpoint;
  const settings = readSettings(checkpoint);
  const scales = new Map<string, number>();
  for (const { name, alpha, rank } of listModules(source, checkpoint)) {
    if (alpha !== undefined) scales.set(name, (await readAlpha(checkpoint, alpha)) / rank);
    const [component = "", inside = ""] = /^([^.]+)\.(.+)$/.exec(name)?.slice(1) ?? [];
    const scaleOf = settings.get(component);
    if (alpha === undefined && scaleOf !== undefined) scales.set(name, scaleOf(inside, rank));
  }
  return createFileAdapter(source, checkpoint, scales);
}

/**
 * Makes an adapter from weights with names of kohya or diffusers.
 * @param scales - scales of modules; all other modules have scale 1, as in programs that read such files
 * @throws MismatchError if a module lacks one of its two matrices, or their ranks differ
 * @throws UnsupportedError if there are tensors of another kind of adapter
 */
export function createFileAdapter(source: string, checkpoint: Checkpoint, scales: AdapterScales): Adapter {
  const modules = listModules(source, checkpoint).map(
    ({ name, a, b, alpha, rank }): [string, AdapterModule] => [
      name,
      {
        name,
        a,
        b,
        alpha,
        rank,
        kind: "linear",
        bias: undefined,
        magnitude: undefined,
        scale: scales.get(name) ?? 1,
        isTransposed: false,
      },
    ],
  );
  const [first] = at(modules, 0, "module");
  const naming: AdapterNaming = first.includes(".") ? "diffusers" : "kohya";
  return {
    source,
    checkpoint,
    naming,
    config: undefined,
    modules: new Map(modules),
    replaced: new Map(),
    close: () => checkpoint.close(),
  };
}

/** Returns the metadata that all files have in common, except entries that describe their factors. */
export function commonMetadata(checkpoints: readonly Checkpoint[]): Readonly<Record<string, string>> {
  const [first, ...others] = checkpoints;
  return Object.fromEntries(
    Object.entries(first?.metadata ?? {}).filter(
      ([key, text]) => !OF_FACTORS.includes(key) && others.every(({ metadata }) => metadata[key] === text),
    ),
  );
}

interface ListedModule {
  readonly name: string;
  readonly a: string;
  readonly b: string;
  readonly alpha: string | undefined;
  readonly rank: number;
}

function listModules(source: string, { tensors }: Checkpoint): readonly ListedModule[] {
  const parts = new Map<string, { a?: string; b?: string; alpha?: string }>();
  for (const key of tensors.keys()) {
    const [, module = "", , side = ""] = FACTOR.exec(key) ?? [];
    const [, scaled] = ALPHA.exec(key) ?? [];
    const name = scaled ?? module;
    if (name === "" || name.startsWith("base_model.")) throw variantError(source, tensors.keys(), key);
    const part = scaled !== undefined ? "alpha" : side === "A" || side === "down" ? "a" : "b";
    parts.set(name, { ...parts.get(name), [part]: key });
  }
  if (parts.size === 0) {
    const problem = `Cannot use adapter "${source}" as it must hold at least one tensor: it is empty`;
    throw new MismatchError(problem, { parameters: [] });
  }
  return [...parts].map(([name, { a, b, alpha }]) => {
    if (a === undefined || b === undefined) {
      throw new MismatchError(
        `Cannot use adapter "${source}" as module "${name}" must have both factors of its change: it lacks ${a === undefined ? "lora_down" : "lora_up"}`,
        { parameters: [name] },
      );
    }
    const rank = rankOf(source, entry(tensors, a, "tensor"), entry(tensors, b, "tensor"), name);
    return { name, a, b, alpha, rank };
  });
}

function variantError(source: string, names: Iterable<string>, key: string): UnsupportedError {
  const { name = "adapter" } = findAdapterKind(names) ?? {};
  if (key.startsWith("base_model.")) {
    return new UnsupportedError(
      `Cannot use adapter "${source}" as the scales of PEFT's adapters stand in adapter_config.json, which must lie beside adapter_model.safetensors: there is none; name the folder that PEFT saved`,
      { feature: key },
    );
  }
  return new UnsupportedError(
    `Cannot use adapter "${source}" as only plain LoRA is handled, pairs of lora_down and lora_up, or lora_A and lora_B: "${key}" belongs to ${name === "LoRA" ? "a variant of it" : name}; apply each to its model with the program that made it, and merge the models`,
    { feature: key },
  );
}

async function readAlpha(checkpoint: Checkpoint, name: string): Promise<number> {
  const { data, dtype } = await checkpoint.read(name);
  const [alpha] = toFloat64(data, dtype);
  if (data.length === 1 && alpha !== undefined && Number.isFinite(alpha)) return alpha;
  throw new FormatError(
    `Cannot use adapter "${checkpoint.source}" as "${name}" must be one finite number: it is ${data.length === 1 ? alpha : `${data.length} numbers`}`,
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
