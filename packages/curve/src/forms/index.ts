export { BARRIER_POINT, MEASURED_PATH } from "./path-form.ts";
