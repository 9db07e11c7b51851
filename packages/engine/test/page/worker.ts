// The worker of a page: computes a step on the device that it is asked for, and posts the results or the error.
import { createWebEngine, type WebEngineOptions } from "@isthmus/engine/web";
import { computeStep } from "./train-step.ts";

const worker = globalThis as unknown as {
  onmessage: (event: { readonly data: WebEngineOptions }) => void;
  readonly postMessage: (message: unknown) => void;
};

worker.onmessage = async ({ data }) => {
  try {
    const engine = await createWebEngine(data);
    worker.postMessage({ name: engine.name, outputs: await computeStep(engine) });
  } catch (error) {
    worker.postMessage({ error: String(error) });
  }
};
