import { type Checkpoint, excerpt, FormatError, MismatchError, UnsupportedError } from "@isthmus/core";
import { type Adapter, createAdapter, replacedName, withoutPrefix } from "../adapter.ts";
import { compileModulePattern, parseAdapterConfig, scalesOf } from "../adapter-config.ts";
import { buildAdapter } from "../build-adapter.ts";
import { builtModule, type FactoredModule, findFactored, withRows } from "./expand-factors.ts";
import { FACTOR_KINDS, MULTIPLIED_KINDS } from "./kind-tables.ts";
import { type MultipliedKind, type MultipliedSource, openMultiplied } from "./multiplied-weight.ts";
import { trainableTokensKind } from "./trainable-tokens.ts";

type Settings = Readonly<Record<string, unknown>>;

/** Settings of PEFT that describe the base and not the kind of adapter, which results keep. */
const PASSED_ON = ["base_model_name_or_path", "revision", "task_type", "auto_mapping"];

/**
 * Opens an adapter of another kind than LoRA from a folder of PEFT: LoHa and LoKr as low-rank changes whose
 * factors are computed, OFT and IA3 as changes that multiply weights.
 * A LoRA beside which rows of an embedding are learned is opened here, too.
 * @returns undefined if the settings are not of one of these kinds
 * @throws FormatError if a setting is missing or of another type
 * @throws MismatchError if a module lacks a factor, or the shapes of its factors do not fit each other
 * @throws UnsupportedError if a tensor belongs to a variant that is not supported
 */
export async function openPeftKind(
  source: string,
  checkpoint: Checkpoint,
  raw: unknown,
): Promise<Adapter | undefined> {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return undefined;
  const settings = raw as Settings;
  const { peft_type: type } = settings;
  if (FACTOR_KINDS.some(({ peftType }) => peftType !== undefined && peftType === type))
    return openFactored(source, checkpoint, settings);
  if (type === "LORA" && isGiven(settings["trainable_token_indices"]))
    return openLoraWithTokens({ source, checkpoint, settings });
  const kind = MULTIPLIED_KINDS.find(({ peftType }) => peftType === type);
  return kind === undefined ? undefined : openMultipliedKind(kind, { source, checkpoint, settings });
}

function openFactored(source: string, checkpoint: Checkpoint, settings: Settings): Adapter {
  const prefixed = findFactored(source, checkpoint);
  if (prefixed.length === 0) throw emptyError(source);
  const factored = prefixed.map((module) => ({ ...module, name: withoutPrefix(module.name) }));
  const scaleOf = scalesOf(
    parseAdapterConfig({ ...settings, peft_type: "LORA", lora_alpha: settings["alpha"] }, source),
  );
  const rankOf = ranksOf(source, settings);
  const scales = new Map(
    factored.map(({ name, change }) => [name, scaleOf(name, change.rank ?? rankOf(name))]),
  );
  const gone = new Set(factored.flatMap(({ keys }: FactoredModule) => keys));
  const adapter = buildAdapter({
    source,
    modules: factored.map((module) => builtModule(module, scales.get(module.name) ?? 1)),
    replaced: new Map(
      [...replacedIn(checkpoint, gone, source)].map(([name, key]) => [name, { checkpoint, name: key }]),
    ),
    inputs: [checkpoint],
    passedOn: Object.fromEntries(PASSED_ON.flatMap((key) => (key in settings ? [[key, settings[key]]] : []))),
  });
  return { ...withRows(adapter, factored, scales), close: () => checkpoint.close() };
}

/** Returns the function that finds the rank of a module in the settings, which whole factors do not show. */
function ranksOf(source: string, settings: Settings): (module: string) => number {
  const { r, rank_pattern: patterns } = settings;
  const entries = typeof patterns === "object" && patterns !== null ? Object.entries(patterns) : [];
  const compiled = entries.map(([pattern, rank]) => ({ fits: compileModulePattern(pattern), rank }));
  return (module) => {
    const rank: unknown = compiled.find(({ fits }) => fits(module))?.rank ?? r;
    if (typeof rank === "number" && Number.isInteger(rank) && rank > 0) return rank;
    throw new FormatError(
      `Cannot read the settings of adapter "${source}" as the rank of "${module}" must be a whole number of at least 1: it is ${excerpt(rank)}`,
      { format: "adapter_config.json" },
    );
  };
}

/** Opens a LoRA beside which rows of an embedding are learned. */
async function openLoraWithTokens(opened: MultipliedSource): Promise<Adapter> {
  const { source, checkpoint, settings } = opened;
  const { multiplied, keys } = await openMultiplied([trainableTokensKind], opened, withoutPrefix);
  const tensors = new Map([...checkpoint.tensors].filter(([key]) => !keys.has(key)));
  const others = { ...checkpoint, tensors };
  return {
    ...createAdapter(source, others, parseAdapterConfig(settings, source)),
    checkpoint,
    multiplied,
    close: () => checkpoint.close(),
  };
}

async function openMultipliedKind(kind: MultipliedKind, opened: MultipliedSource): Promise<Adapter> {
  const { source, checkpoint } = opened;
  const { multiplied, keys } = await openMultiplied([kind], opened, withoutPrefix);
  if (keys.size === 0) throw emptyError(source);
  return {
    source,
    checkpoint,
    naming: "PEFT",
    config: undefined,
    modules: new Map(),
    multiplied,
    replaced: replacedIn(checkpoint, keys, source),
    close: () => checkpoint.close(),
  };
}

/** Lists the tensors that PEFT saved whole, which are all that belong to no kind of adapter. */
function replacedIn(
  { tensors }: Checkpoint,
  gone: ReadonlySet<string>,
  source: string,
): ReadonlyMap<string, string> {
  const others = [...tensors.keys()].filter((key) => !gone.has(key));
  const variant = others.find((key) => /\.(lora|hada|lokr|oft|boft|ia3|vera|hra)_[^.]*(\.|$)/.test(key));
  if (variant !== undefined) {
    throw new UnsupportedError(
      `Cannot use adapter "${source}" as "${variant}" belongs to a variant that is not handled; merge it into its model with PEFT`,
      { feature: variant },
    );
  }
  return new Map(others.map((key) => [replacedName(withoutPrefix(key)), key]));
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && JSON.stringify(value) !== "[]";
}

function emptyError(source: string): MismatchError {
  return new MismatchError(
    `Cannot use adapter "${source}" as it must hold factors of the kind that its "peft_type" names: it has none`,
    { parameters: [] },
  );
}
