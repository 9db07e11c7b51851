export { createTfjsEngine, type TfjsEngineOptions } from "./create-tfjs-engine.ts";
export type { TfjsBackend } from "./tfjs-backend.ts";
