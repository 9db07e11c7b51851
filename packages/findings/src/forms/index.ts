export { LOSS_FORM, MADE_RESULT, MEASURED } from "./result-forms.ts";
