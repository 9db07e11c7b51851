export { ATTACK_FORM } from "./attack-form.ts";
export { ENSEMBLE_FORM } from "./ensemble-form.ts";
