import { findSnapshot, formatHubName, type HubName, InputError, type ModelSource } from "@isthmus/core";
import { type DownloadModelOptions, downloadModel } from "./download-model.ts";
import { openHubModel } from "./range-source.ts";

/** Options of {@link createHubSource}. */
export interface HubSourceOptions extends DownloadModelOptions {
  /** Whether models are opened by ranges of their files, without storing any. @defaultValue false */
  readonly byRange?: boolean;
}

/**
 * Creates a source of models on the Hugging Face hub, for `withModelSource` of core. Each model is asked for
 * once, so that all that one command reads of it is of one commit. If `HF_HUB_OFFLINE` forbids requests, the
 * cache alone is used.
 */
export function createHubSource(options: HubSourceOptions): ModelSource {
  const fetched = new Map<string, Promise<string>>();
  const { settings, byRange = false } = options;
  const isByRange = byRange && !settings.isOffline;
  return {
    fetchModel(hub: HubName) {
      const key = formatHubName(hub);
      const underWay = fetched.get(key);
      if (underWay !== undefined) return underWay;
      const folder = settings.isOffline ? findOffline(hub) : downloadModel(hub, options);
      fetched.set(key, folder);
      return folder;
    },
    openByRange: isByRange ? (hub) => openHubModel(hub, options) : undefined,
  };
}

async function findOffline(hub: HubName): Promise<string> {
  try {
    return await findSnapshot(hub);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { message, input } = error;
    throw new InputError(`${message}; but HF_HUB_OFFLINE forbids every download now`, {
      input,
      cause: error,
    });
  }
}
