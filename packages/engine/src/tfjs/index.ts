export { createTfjsEngine, type TfjsEngineOptions } from "./create-tfjs-engine.ts";
export { TFJS_BACKENDS, type TfjsBackend } from "./tfjs-backend.ts";
