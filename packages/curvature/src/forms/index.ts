export { HESSIAN_POINT } from "./hessian-point-form.ts";
