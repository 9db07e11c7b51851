import {
  type allocateData,
  type Checkpoint,
  convertInto,
  type DType,
  defineCheckpoint,
  entry,
  sizeOf,
  type TensorInfo,
} from "@isthmus/core";
import type { Matrix } from "@isthmus/linear-algebra";
import { type Adapter, type AdapterModule, type AdapterNaming, createAdapter } from "./adapter.ts";
import { parseAdapterConfig } from "./adapter-config.ts";
import { createFileAdapter } from "./adapter-file.ts";
import type { Factors } from "./factors.ts";

/** A module of an adapter whose matrices are computed. */
export interface BuiltModule {
  /** Name of the module in the network; its weight is `NAME.weight`. */
  readonly name: string;
  /** Kind of the weight: of a linear layer or convolution, or of an embedding. */
  readonly kind: AdapterModule["kind"];
  /** Shapes of `B`, `[out, rank, ...]`, and `A`, `[rank, in, ...]`. */
  readonly shapes: { readonly a: readonly number[]; readonly b: readonly number[] };
  /** Element type of both matrices. */
  readonly dtype: DType;
  /** Names of the module's tensors in the adapter. @defaultValue the names of PEFT */
  readonly keys?: ModuleKeys | undefined;
  /** Computes both matrices, with scale 1. */
  readonly compute: () => Promise<Factors>;
}

/** Names of the tensors of a module. */
type ModuleKeys = Pick<AdapterModule, "a" | "b"> & Partial<Pick<AdapterModule, "alpha">>;

/** Options of {@link buildAdapter}. */
export interface BuildAdapterOptions {
  /** Description of the adapter, for messages. */
  readonly source: string;
  /** Modules that the adapter changes, each with its two matrices. */
  readonly modules: readonly BuiltModule[];
  /**
   * Tensors that replace tensors of the network: checkpoint of the adapter and name there, by the name in the
   * network.
   */
  readonly replaced?: ReadonlyMap<string, { readonly checkpoint: Checkpoint; readonly name: string }>;
  /** Checkpoints from which the adapter is computed. */
  readonly inputs: readonly Checkpoint[];
  /** Program after which the tensors are named, see {@link BuiltModule.keys}. @defaultValue "PEFT" */
  readonly naming?: AdapterNaming;
  /** Settings of PEFT that are passed on, such as the name of the base model. */
  readonly passedOn: Readonly<Record<string, unknown>>;
  /** Metadata of the adapter's file. @defaultValue none */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Whether weights of linear modules are stored as `[in, out]`. */
  readonly isTransposed?: boolean;
  /**
   * Modules that PEFT keeps whole, `modules_to_save`. @defaultValue the modules of the tensors in `replaced`
   */
  readonly savedModules?: readonly string[] | undefined;
  /** Further settings of PEFT, which replace settings of the same names. @defaultValue none */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** Text before the names of modules in files of PEFT. */
export const PREFIX = "base_model.model.";

/** Makes an adapter whose matrices are computed when they are read; every module has scale 1. */
export function buildAdapter(options: BuildAdapterOptions): Adapter {
  const { source, modules, replaced = new Map(), inputs, naming = "PEFT", metadata = {} } = options;
  const tensors = new Map<string, TensorInfo>();
  const places = new Map<string, { readonly module: BuiltModule; readonly part: keyof Factors | "alpha" }>();
  for (const module of modules) {
    const keys = module.keys ?? keysOf(module);
    tensors.set(keys.a, { dtype: module.dtype, shape: module.shapes.a });
    tensors.set(keys.b, { dtype: module.dtype, shape: module.shapes.b });
    places.set(keys.a, { module, part: "right" });
    places.set(keys.b, { module, part: "left" });
    if (keys.alpha === undefined) continue;
    tensors.set(keys.alpha, { dtype: module.dtype, shape: [] });
    places.set(keys.alpha, { module, part: "alpha" });
  }
  for (const [name, place] of replaced) {
    tensors.set(PREFIX + name, entry(place.checkpoint.tensors, place.name, "tensor"));
  }
  const factorsOf = createFactors();
  const checkpoint = defineCheckpoint({
    source,
    tensors,
    metadata,
    inputs,
    async readInto(key, begin, out) {
      const place = places.get(key);
      if (place === undefined) {
        const { checkpoint: of, name } = entry(replaced, key.slice(PREFIX.length), "tensor");
        return of.readRangeInto(name, begin, out);
      }
      const { dtype, shapes } = place.module;
      if (place.part === "alpha") {
        copyInto(Float64Array.of(sizeOf(shapes.a.slice(0, 1))), { dtype, data: out });
        return;
      }
      const { data } = (await factorsOf(place.module))[place.part];
      copyInto(data.subarray(begin, begin + out.length), { dtype, data: out });
    },
  });
  // The scale of each module is in its matrices.
  if (naming !== "PEFT") return createFileAdapter(source, checkpoint, new Map());
  return createAdapter(source, checkpoint, parseAdapterConfig(settingsOf(options), source));
}

function keysOf({ name, kind }: BuiltModule): ModuleKeys {
  return kind === "embedding"
    ? { a: `${PREFIX}${name}.lora_embedding_A`, b: `${PREFIX}${name}.lora_embedding_B` }
    : { a: `${PREFIX}${name}.lora_A.weight`, b: `${PREFIX}${name}.lora_B.weight` };
}

function copyInto(data: Matrix["data"], out: { readonly dtype: DType; readonly data: TensorInto }): void {
  convertInto({ dtype: data instanceof Float64Array ? "f64" : "f32", data }, out);
}

type TensorInto = ReturnType<typeof allocateData>;

/**
 * Creates a function that computes the factors of a module, and remembers them for the last module, because
 * its two matrices are read one after the other.
 */
function createFactors() {
  let last: { readonly module: BuiltModule; readonly factors: Promise<Factors> } | undefined;
  return (module: BuiltModule): Promise<Factors> => {
    if (last?.module !== module) last = { module, factors: module.compute() };
    return last.factors;
  };
}

function settingsOf({
  modules,
  replaced,
  passedOn,
  isTransposed = false,
  savedModules,
  settings = {},
}: BuildAdapterOptions) {
  const ranks = modules.map(({ name, shapes }) => [name, sizeOf(shapes.a.slice(0, 1))] as const);
  const most = ranks.reduce((rank, [, of]) => Math.max(rank, of), 1);
  const exceptions = ranks.filter(([, rank]) => rank !== most);
  const saved = savedModules ?? [
    ...new Set([...(replaced?.keys() ?? [])].map((name) => name.replace(/\.[^.]*$/, ""))),
  ];
  return {
    ...passedOn,
    peft_type: "LORA",
    r: most,
    lora_alpha: most,
    rank_pattern: Object.fromEntries(exceptions),
    // The scale is alpha / rank; it is 1 for every module.
    alpha_pattern: Object.fromEntries(exceptions),
    target_modules: modules.map(({ name }) => name).sort(),
    modules_to_save: saved.length === 0 ? null : [...saved].sort(),
    fan_in_fan_out: isTransposed,
    use_rslora: false,
    use_dora: false,
    lora_bias: false,
    bias: "none",
    lora_dropout: 0,
    inference_mode: true,
    init_lora_weights: true,
    ...settings,
  };
}
