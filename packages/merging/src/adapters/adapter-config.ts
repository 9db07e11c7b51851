import { excerpt, FormatError, UnsupportedError } from "@isthmus/core";
import { compileExpression } from "../match-expression.ts";

/** Settings of a LoRA adapter from `adapter_config.json`, which its weights do not show. */
export interface AdapterConfig {
  /** Rank of modules without a pattern; for information only, because ranks are known from the weights. */
  readonly rank: number;
  /** Numerator of the scale of modules without a pattern. */
  readonly alpha: number;
  /** Numerators of the scales of other modules, by patterns of their names. */
  readonly alphaPattern: ReadonlyMap<string, number>;
  /** Whether the scale is `alpha / sqrt(rank)`, not `alpha / rank`. */
  readonly isRankStabilized: boolean;
  /** Whether weights of linear modules are stored as `[in, out]`, as in GPT-2. */
  readonly isTransposed: boolean;
  /** Whether the length of each row of a weight is learned as well (DoRA). */
  readonly hasMagnitudes: boolean;
  /** All settings in the file, including settings that are only passed on. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** Names of settings that change the meaning of weights in a way that is not supported here. */
const UNSUPPORTED = [
  ...["use_qalora", "use_bdlora", "target_parameters", "layer_replication", "alora_invocation_tokens"],
  ...["velora_config", "monteclora_config", "arrow_config", "kasa_config"],
];

/**
 * Reads the settings of a LoRA adapter as PEFT writes them.
 * @param raw - parsed JSON of `adapter_config.json`
 * @param source - path of the adapter, for messages
 * @throws FormatError if a setting is missing or of another type
 * @throws UnsupportedError if the adapter is not LoRA, or uses a variant that is not supported
 */
export function parseAdapterConfig(raw: unknown, source: string): AdapterConfig {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw configError(source, "it must hold an object");
  }
  const settings = raw as Readonly<Record<string, unknown>>;
  const { peft_type: type } = settings;
  if (type !== "LORA") {
    throw new UnsupportedError(
      `Cannot use adapter "${source}" as only LoRA adapters are handled: its "peft_type" is ${excerpt(type)}`,
      { feature: typeof type === "string" ? type : "peft_type" },
    );
  }
  for (const name of UNSUPPORTED) {
    if (!isSet(settings[name])) continue;
    throw new UnsupportedError(
      `Cannot use adapter "${source}" as "${name}" changes what its weights mean, which is not handled; merge it into its model with PEFT`,
      { feature: name },
    );
  }
  return {
    rank: numberOf(settings, "r", source),
    alpha: numberOf(settings, "lora_alpha", source),
    alphaPattern: patternsOf(settings, source),
    isRankStabilized: settings["use_rslora"] === true,
    isTransposed: settings["fan_in_fan_out"] === true,
    hasMagnitudes: settings["use_dora"] === true,
    raw: settings,
  };
}

/** Returns the factor by which the product of the matrices of a module is multiplied. */
export type ScaleOf = (module: string, rank: number) => number;

/** Makes the function that returns the scale of each module under the settings of an adapter. */
export function scalesOf({ alpha, alphaPattern, isRankStabilized }: AdapterConfig): ScaleOf {
  const patterns = [...alphaPattern].map(([pattern, numerator]) => ({
    fits: compileModulePattern(pattern),
    numerator,
  }));
  return (module, rank) => {
    const pattern = patterns.find(({ fits }) => fits(module));
    return (pattern?.numerator ?? alpha) / (isRankStabilized ? Math.sqrt(rank) : rank);
  };
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  return Array.isArray(value) ? value.length > 0 : true;
}

function numberOf(settings: Readonly<Record<string, unknown>>, name: string, source: string): number {
  const value = settings[name];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw configError(source, `"${name}" must be a number: it is ${JSON.stringify(value) ?? "missing"}`);
}

function patternsOf(
  settings: Readonly<Record<string, unknown>>,
  source: string,
): ReadonlyMap<string, number> {
  const patterns = settings["alpha_pattern"] ?? {};
  if (typeof patterns !== "object" || Array.isArray(patterns)) {
    throw configError(source, '"alpha_pattern" must be an object of numbers');
  }
  const entries = Object.entries(patterns as Readonly<Record<string, unknown>>);
  return new Map(
    entries.map(([pattern]) => [pattern, numberOf(patterns as Record<string, unknown>, pattern, source)]),
  );
}

function configError(source: string, problem: string): FormatError {
  return new FormatError(`Cannot read the settings of adapter "${source}" as ${problem}`, {
    format: "adapter_config.json",
  });
}

/**
 * Makes a test for whether a pattern of PEFT fits a module. The pattern is the end of the module's name,
 * after a dot, or a regular expression for that end. The expression is compiled once, at the first name that
 * does not end in the pattern.
 * @param pattern - pattern such as `q_proj` or `layers\.\d\.mlp`
 * @throws InputError when the test is called, if the pattern is not a valid regular expression, or its time
 *   has no bound
 */
export function compileModulePattern(pattern: string): (module: string) => boolean {
  let fits: ReturnType<typeof compileExpression> | undefined;
  return (module) => {
    if (module === pattern || module.endsWith(`.${pattern}`)) return true;
    fits ??= compileExpression(String.raw`(?:.*\.)?(?:${pattern})`, { whole: true });
    return fits(module);
  };
}
