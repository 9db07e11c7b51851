import { createSurroundings } from "@isthmus/platform";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { HubName } from "./hub-name.ts";

/**
 * A place outside of this machine from which models are fetched when they are opened. This package asks none
 * by itself: a program passes one to {@link withModelSource} if its user asked for downloads.
 */
export interface ModelSource {
  /**
   * Makes sure that a model, or the one file that the name has, is in the cache of the Hugging Face hub.
   * @returns the folder of the snapshot in the cache
   */
  fetchModel(name: HubName): Promise<string>;
  /**
   * Opens the weights of a model by ranges of its files, without storing any; undefined if models are fetched
   * whole.
   */
  readonly openByRange?: ((name: HubName) => Promise<Checkpoint>) | undefined;
}

const sources = createSurroundings<ModelSource | undefined>();

/**
 * Calls a function that may fetch models from a source; this also holds for everything that it calls and
 * awaits: names of the Hugging Face hub that {@link resolveModelPath} and `openCheckpoint` meet are fetched.
 */
export function withModelSource<T>(source: ModelSource, act: () => T): T {
  return sources.run(source, act);
}

/** Returns the source of the work under way; undefined if nothing may be fetched. */
export function currentModelSource(): ModelSource | undefined {
  return sources.getStore();
}
