export { type MeasureGradientSignsOptions, measureGradientSigns } from "./advice/measure-gradient-signs.ts";
export type { TaskScore, TunedTask } from "./coefficients/bind-task.ts";
export {
  describeTuned,
  formatTunedRecipe,
  type TunedRecipeOrigin,
} from "./coefficients/format-tuned-recipe.ts";
export {
  type OpenedTunedTasks,
  openTunedTasks,
  type TunedTaskNames,
} from "./coefficients/open-tuned-tasks.ts";
export { planTuneMerge, type TuningPlan, tuneMerge } from "./coefficients/tune-merge.ts";
export {
  TUNE_MERGE_FIELDS,
  type TuneMergeOptions,
  type TuneMergeProgress,
  type TuneMergeRules,
} from "./coefficients/tune-merge-options.ts";
export type { TunedGroup, TunedTaskResult, TuneMergeResult } from "./coefficients/tune-merge-result.ts";
export { type HealOptions, heal } from "./heal/heal.ts";
export { HEAL_FIELDS, type HealRules } from "./heal/heal-fields.ts";
export type { Healed, HealedExpert, HealResult, Standing } from "./heal/heal-result.ts";
export {
  type Healing,
  type HealingExpert,
  type HealingNames,
  type NamedCheckpoint,
  openHealing,
} from "./heal/open-healing.ts";
export { nameNetworks, valuesOfNetworks } from "./values-of-networks.ts";
