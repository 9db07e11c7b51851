export { LOSS_FORM, MEASURED, PROVENANCE } from "./result-forms.ts";
