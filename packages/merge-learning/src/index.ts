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
