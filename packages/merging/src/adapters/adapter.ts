import {
  type Checkpoint,
  entry,
  MismatchError,
  sizeOf,
  type TensorInfo,
  UnsupportedError,
} from "@isthmus/core";
import { type AdapterConfig, type ScaleOf, scalesOf } from "./adapter-config.ts";
import type { ChangeRows, FactorType } from "./factors.ts";
import type { MultipliedWeight } from "./kinds/multiplied-weight.ts";

/** Low-rank change of one weight: `scale * B * A`. */
export interface AdapterModule {
  /** Name of the module in the network, as `model.layers.0.self_attn.q_proj`; its weight is `NAME.weight`. */
  readonly name: string;
  /**
   * Kind of the weight: of a linear layer or convolution, or of an embedding, whose change PEFT stores
   * transposed.
   */
  readonly kind: "linear" | "embedding";
  /** Name of `A`, `[rank, in, ...]`, in the adapter's checkpoint. */
  readonly a: string;
  /** Name of `B`, `[out, rank, ...]`, in the adapter's checkpoint. */
  readonly b: string;
  /** Name of the change of the bias, `[out]`; undefined if the bias does not change. */
  readonly bias: string | undefined;
  /** Name of the lengths of the weight's rows, `[out]`, for DoRA; otherwise undefined. */
  readonly magnitude: string | undefined;
  /** Name of the numerator of the scale if it is a tensor, as in files of kohya; otherwise undefined. */
  readonly alpha: string | undefined;
  /** Number of rows of `A` and of columns of `B`. */
  readonly rank: number;
  /** Factor by which `B * A` is multiplied. */
  readonly scale: number;
  /** Whether the weight is stored as `[in, out]`, so that the change is transposed. */
  readonly isTransposed: boolean;
  /**
   * Computes rows of `B * A` from the factors of another kind, such as LoKr, which is faster than the
   * product; undefined if the file has `A` and `B` themselves.
   */
  readonly readRows?: ((type: FactorType) => Promise<ChangeRows>) | undefined;
  /** Whether the kernel of a convolution would be flat in `A`. @defaultValue false */
  readonly isFlat?: boolean | undefined;
}

/**
 * Program after which the tensors of an adapter are named: PEFT for a folder with `adapter_config.json`;
 * kohya's sd-scripts, diffusers or ComfyUI for a single file.
 */
export type AdapterNaming = "PEFT" | "kohya" | "diffusers" | "ComfyUI";

/**
 * An adapter: low-rank changes of weights of a network, changes that multiply weights, and tensors that
 * replace tensors of the network. Changes of LoHa and LoKr are low-rank changes whose factors are computed.
 */
export interface Adapter {
  /** Origin of the adapter, such as its path, for messages. */
  readonly source: string;
  /** Program after which the tensors are named. */
  readonly naming: AdapterNaming;
  /** Settings of PEFT; undefined for other names, whose files contain all settings. */
  readonly config: AdapterConfig | undefined;
  /** Weights of the adapter, under the names of the program that made it. */
  readonly checkpoint: Checkpoint;
  /** Changed modules, by name. */
  readonly modules: ReadonlyMap<string, AdapterModule>;
  /** Modules whose weights are multiplied, as by OFT and IA3, by name. */
  readonly multiplied: ReadonlyMap<string, MultipliedWeight>;
  /** Tensors that replace tensors of the network: names in the adapter by names in the network. */
  readonly replaced: ReadonlyMap<string, string>;
  /** Closes the files of the adapter. */
  close(): Promise<void>;
}

/** Text that PEFT puts before the name of each module. */
export const PREFIX = "base_model.model.";
/** Patterns of the text after the name of a module, with the role of such a tensor. */
const ROLES: readonly (readonly [RegExp, "a" | "b" | "bias" | "magnitude", AdapterModule["kind"]])[] = [
  [/\.lora_A(\.default)?\.weight$/, "a", "linear"],
  [/\.lora_B(\.default)?\.weight$/, "b", "linear"],
  [/\.lora_B(\.default)?\.bias$/, "bias", "linear"],
  [/\.lora_embedding_A(\.default)?$/, "a", "embedding"],
  [/\.lora_embedding_B(\.default)?$/, "b", "embedding"],
  [/\.lora_magnitude_vector(\.default)?(\.weight)?$/, "magnitude", "linear"],
];

type Parts = { kind: AdapterModule["kind"] } & Partial<Record<"a" | "b" | "bias" | "magnitude", string>>;

/**
 * Makes an adapter from weights with the names of PEFT, and from settings.
 * @throws MismatchError if there are no tensors, a module lacks one of its two matrices, their ranks differ,
 *   or the settings say that there are lengths of rows (DoRA), and there are none
 * @throws UnsupportedError if a tensor belongs to a variant of LoRA that is not supported
 */
export function createAdapter(source: string, checkpoint: Checkpoint, config: AdapterConfig): Adapter {
  assertMagnitudes(source, config, checkpoint.tensors.keys());
  const parts = new Map<string, Parts>();
  const replaced = new Map<string, string>();
  for (const key of checkpoint.tensors.keys()) {
    const name = withoutPrefix(key);
    const role = ROLES.find(([pattern]) => pattern.test(name));
    if (role === undefined) {
      assertPlain(source, key, name);
      replaced.set(replacedName(name), key);
      continue;
    }
    const [pattern, part, kind] = role;
    const module = name.replace(pattern, "");
    const earlier = parts.get(module) ?? { kind };
    parts.set(module, { ...earlier, [part]: key });
  }
  if (parts.size + replaced.size === 0) {
    throw new MismatchError(
      `Cannot use adapter "${source}" as it must hold at least one tensor: it is empty`,
      {
        parameters: [],
      },
    );
  }
  const context = { source, checkpoint, config, scaleOf: scalesOf(config) };
  const modules = [...parts].map(([name, of]) => [name, createModule(context, name, of)] as const);
  return {
    source,
    config,
    checkpoint,
    replaced,
    naming: "PEFT",
    modules: new Map(modules),
    multiplied: new Map(),
    close: () => checkpoint.close(),
  };
}

/**
 * Checks that an adapter has lengths of rows if its settings say so.
 * @throws MismatchError if it has none: its change would be another one without them
 */
export function assertMagnitudes(
  source: string,
  { hasMagnitudes }: Pick<AdapterConfig, "hasMagnitudes">,
  names: Iterable<string>,
): void {
  if (!hasMagnitudes || [...names].some((name) => name.includes(".lora_magnitude_vector"))) return;
  throw new MismatchError(
    `Cannot use adapter "${source}" as its settings say "use_dora", so that it must have lengths of rows, lora_magnitude_vector: it has none; save it whole, or set "use_dora" to false if it learned none`,
    { parameters: ["lora_magnitude_vector"] },
  );
}

/** Removes what PEFT puts before the name of a tensor in the network. */
export function withoutPrefix(key: string): string {
  return key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key;
}

/** Returns the name in the network of a tensor that PEFT saved whole. */
export function replacedName(name: string): string {
  return name.replace(/\.modules_to_save(\.default)?\./, ".").replace(".base_layer.", ".");
}

function assertPlain(source: string, key: string, name: string): void {
  if (!/\.(lora_|trainable_tokens|token_adapter)/.test(name)) return;
  throw new UnsupportedError(
    `Cannot use adapter "${source}" as "${key}" belongs to a variant of LoRA that is not handled; merge it into its model with PEFT`,
    { feature: key },
  );
}

function createModule(
  {
    source,
    checkpoint,
    config,
    scaleOf,
  }: Pick<Adapter, "source" | "checkpoint"> & {
    readonly config: AdapterConfig;
    readonly scaleOf: ScaleOf;
  },
  name: string,
  { kind, a, b, bias, magnitude }: Parts,
): AdapterModule {
  if (a === undefined || b === undefined) {
    throw new MismatchError(
      `Cannot use adapter "${source}" as module "${name}" must have both lora_A and lora_B: it lacks ${a === undefined ? "lora_A" : "lora_B"}`,
      { parameters: [name] },
    );
  }
  const rank = rankOf(
    source,
    entry(checkpoint.tensors, a, "tensor"),
    entry(checkpoint.tensors, b, "tensor"),
    name,
  );
  const isEmbedding = kind === "embedding";
  return {
    name,
    kind,
    a,
    b,
    bias,
    magnitude,
    rank,
    alpha: undefined,
    scale: scaleOf(name, rank),
    isTransposed: isEmbedding || config.isTransposed,
  };
}

/**
 * Returns the rank of a module's change.
 * @throws MismatchError if the two matrices do not fit each other
 */
export function rankOf(source: string, a: TensorInfo, b: TensorInfo, name: string): number {
  const [rank] = a.shape;
  const inner = sizeOf(b.shape.slice(1));
  if (rank !== undefined && a.shape.length >= 2 && b.shape.length >= 2 && rank === inner && rank > 0)
    return rank;
  throw new MismatchError(
    `Cannot use adapter "${source}" as the matrices of "${name}" must be [rank, in] and [out, rank]: they are [${a.shape}] and [${b.shape}]`,
    { parameters: [name] },
  );
}
