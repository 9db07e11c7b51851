export { ENSEMBLE_FORM } from "./ensemble-form.ts";
