export { createWebEngine, type WebEngineOptions } from "./create-web-engine.ts";
export type { WebDevice } from "./web-device.ts";
