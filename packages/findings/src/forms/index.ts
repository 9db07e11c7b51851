export { LOSS_FORM, MADE_RESULT, MEASURED, PROVENANCE } from "./result-forms.ts";
