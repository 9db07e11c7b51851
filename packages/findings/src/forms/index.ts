export { MEASURED, PROVENANCE } from "./result-forms.ts";
