import { at, type Checkpoint, entry, MismatchError, sizeOf, UnsupportedError } from "@isthmus/core";
import { type Adapter, type AdapterModule, rankOf } from "./adapter.ts";
import { findAdapterKind } from "./adapter-kind.ts";
import { type FactorRole, findFactor, namingOf } from "./names/name-style.ts";

/** Key of a file's metadata that holds the settings of adapters by diffusers. */
export const SETTINGS_KEY = "lora_adapter_metadata";

/** Keys of metadata that describe the factors, which a merge replaces. */
const OF_FACTORS: readonly string[] = [SETTINGS_KEY, "ss_network_dim", "ss_network_alpha"];

/** Factors by which the products of the matrices are multiplied, by the names of modules. */
export type AdapterScales = ReadonlyMap<string, number>;

/**
 * Makes an adapter from weights with names of kohya, diffusers or ComfyUI.
 * @param scales - scales of modules; all other modules have scale 1, as in programs that read such files
 * @throws MismatchError if a module lacks one of its two matrices, or their ranks differ
 * @throws UnsupportedError if there are tensors of another kind of adapter
 */
export function createFileAdapter(source: string, checkpoint: Checkpoint, scales: AdapterScales): Adapter {
  const modules = listModules(source, checkpoint).map(
    ({ name, a, b, alpha, magnitude, rank }): [string, AdapterModule] => [
      name,
      {
        name,
        a,
        b,
        alpha,
        rank,
        kind: "linear",
        bias: undefined,
        magnitude,
        scale: scales.get(name) ?? 1,
        isTransposed: false,
      },
    ],
  );
  const [first] = at(modules, 0, "module");
  return {
    source,
    checkpoint,
    naming: namingOf(first),
    config: undefined,
    modules: new Map(modules),
    multiplied: new Map(),
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

/** A module of a file, by the names of its tensors. */
export interface ListedModule {
  /** Name of the module, as the file writes it. */
  readonly name: string;
  /** Name of `A`, `[rank, in, ...]`. */
  readonly a: string;
  /** Name of `B`, `[out, rank, ...]`. */
  readonly b: string;
  /** Name of the numerator of the scale; undefined if the file has none for the module. */
  readonly alpha: string | undefined;
  /** Name of the lengths of rows (DoRA); undefined if they do not change. */
  readonly magnitude: string | undefined;
  /** Number of rows of `A`. */
  readonly rank: number;
}

type Roles = { -readonly [role in FactorRole]?: string };

/**
 * Lists the modules of a file with the names of kohya, diffusers or ComfyUI.
 * @throws MismatchError if the file is empty, a module lacks one of its two matrices, their ranks differ, or
 *   there are not as many lengths as rows
 * @throws UnsupportedError if the file has tensors of another kind of adapter
 */
export function listModules(source: string, { tensors }: Checkpoint): readonly ListedModule[] {
  const parts = new Map<string, Roles>();
  for (const key of tensors.keys()) {
    const factor = findFactor(key);
    if (factor === undefined || factor.role === "mid" || factor.module.startsWith("base_model."))
      throw variantError(source, tensors.keys(), key);
    const { module, role } = factor;
    const roles = parts.get(module) ?? {};
    if (roles[role] !== undefined) {
      throw new MismatchError(
        `Cannot use adapter "${source}" as module "${module}" must have each factor once: "${roles[role]}" and "${key}" are the same one`,
        { parameters: [module] },
      );
    }
    roles[role] = key;
    parts.set(module, roles);
  }
  if (parts.size === 0) {
    const problem = `Cannot use adapter "${source}" as it must hold at least one tensor: it is empty`;
    throw new MismatchError(problem, { parameters: [] });
  }
  return [...parts].map(([name, roles]) => describeModule(source, tensors, name, roles));
}

function describeModule(
  source: string,
  tensors: Checkpoint["tensors"],
  name: string,
  { down: a, up: b, alpha, magnitude }: Roles,
): ListedModule {
  if (a === undefined || b === undefined) {
    throw new MismatchError(
      `Cannot use adapter "${source}" as module "${name}" must have both factors of its change: it lacks ${a === undefined ? "lora_down" : "lora_up"}`,
      { parameters: [name] },
    );
  }
  const up = entry(tensors, b, "tensor");
  const rank = rankOf(source, entry(tensors, a, "tensor"), up, name);
  if (magnitude !== undefined) assertLengths(source, magnitude, { tensors, rows: sizeOf(up.shape) / rank });
  return { name, a, b, alpha, magnitude, rank };
}

/**
 * Checks that there is a length for each row of a weight. LyCORIS can also learn the lengths of columns,
 * which need the whole weight.
 */
function assertLengths(
  source: string,
  magnitude: string,
  { tensors, rows }: { readonly tensors: Checkpoint["tensors"]; readonly rows: number },
): void {
  const { shape } = entry(tensors, magnitude, "tensor");
  const isOfRows = sizeOf(shape) === rows && !(shape.length === 2 && shape[0] === 1 && rows > 1);
  if (isOfRows) return;
  throw new UnsupportedError(
    `Cannot use adapter "${source}" as "${magnitude}" must be the lengths of ${rows} rows (DoRA): it is [${shape}]; lengths of columns, which LyCORIS learned before version 3, are not handled`,
    { feature: magnitude },
  );
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
    `Cannot use adapter "${source}" as files of LoRA, LoCon, LoHa, LoKr, OFT, BOFT and IA3 are handled, and lengths of rows (DoRA): "${key}" belongs to ${name === "LoRA" ? "a variant of them" : name}; apply each to its model with the program that made it, and merge the models`,
    { feature: key },
  );
}
