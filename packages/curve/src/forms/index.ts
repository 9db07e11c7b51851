export { MEASURED_PATH } from "./path-form.ts";
