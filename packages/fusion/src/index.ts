export { SINKHORN_DEFAULTS, type SinkhornOptions, type SinkhornResult, sinkhorn } from "./transport/sinkhorn.ts";
