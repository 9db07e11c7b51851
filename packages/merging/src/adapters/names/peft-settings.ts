import { at } from "@isthmus/core";

/** Rank and numerator of the scale of a module. */
export interface RankedModule {
  /** Name of the module in the network. */
  readonly name: string;
  /** Number of rows of `A`. */
  readonly rank: number;
  /** Numerator of the scale, which is `alpha / rank`. */
  readonly alpha: number;
}

/**
 * Makes the settings of an adapter in `adapter_config.json`. Patterns of PEFT fit the ends of names, so all
 * modules have one of their own if any differ, the longest first.
 * @param modules - at least one module
 */
export function peftSettingsOf(
  modules: readonly RankedModule[],
  { hasMagnitudes }: { readonly hasMagnitudes: boolean },
): Readonly<Record<string, unknown>> {
  const { rank, alpha } = at(modules, 0, "module");
  const byLength = [...modules].sort((one, other) => other.name.length - one.name.length);
  const patternsOf = (key: "rank" | "alpha") =>
    modules.every((module) => module[key] === (key === "rank" ? rank : alpha))
      ? {}
      : Object.fromEntries(byLength.map((module) => [module.name, module[key]]));
  return {
    base_model_name_or_path: null,
    peft_type: "LORA",
    task_type: null,
    r: rank,
    lora_alpha: alpha,
    rank_pattern: patternsOf("rank"),
    alpha_pattern: patternsOf("alpha"),
    target_modules: modules.map(({ name }) => name).sort(),
    modules_to_save: null,
    fan_in_fan_out: false,
    use_rslora: false,
    use_dora: hasMagnitudes,
    lora_bias: false,
    bias: "none",
    lora_dropout: 0,
    inference_mode: true,
    init_lora_weights: true,
  };
}
