import { stat } from "node:fs/promises";
import { createFolder, InputError } from "@isthmus/core";
import {
  createQueueExecutor,
  isS3,
  openQueue,
  openStorage,
  type QueueExecutor,
  type StorageOptions,
  type TaskQueue,
  type TaskStorage,
} from "@isthmus/distributed";

/**
 * Addresses of the queue in which tasks wait for workers, and of the storage in which workers find and leave
 * files.
 */
export interface QueuePlaces {
  /** Address of the queue: `redis://HOST:PORT`, `rediss://`, `postgres://USER@HOST/NAME`, or a folder. */
  readonly queue: string;
  /** Place of files: a folder that all machines share, or `s3://BUCKET/PREFIX`. */
  readonly storage: string;
  /** Called with sentences that users should read, such as that a queue cannot be reached. */
  readonly onNote?: ((sentence: string) => void) | undefined;
}

/** An opened queue with its storage. */
export interface OpenedQueue {
  /** Queue in which tasks wait, connected to its address. */
  readonly queue: TaskQueue;
  /** Storage in which workers find inputs and leave results. */
  readonly storage: TaskStorage;
}

/**
 * Opens a queue and its storage.
 * @param copies - largest number of bytes of copies of files, for a worker with a storage in S3
 * @throws InputError if the storage is a folder that does not exist
 */
export async function openQueueAndStorage(
  { queue: address, storage: place, onNote }: QueuePlaces,
  copies: Pick<StorageOptions, "cacheBytes"> = {},
): Promise<OpenedQueue> {
  await assertStorage(place);
  const storage = await openStorage(place, copies);
  try {
    const queue = await openQueue(address, { onTrouble: (sentence) => onNote?.(sentence) });
    return { queue, storage };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** Options of {@link openQueueExecutor}. */
export interface QueueExecutorPlaces extends QueuePlaces {
  /**
   * Name of the engine that workers must have, in the form that engines report it: `onnxruntime`, or one of
   * TensorFlow.js.
   */
  readonly engine: string;
  /** Folder for the results of tasks; created if it is missing. */
  readonly folder: string;
}

/** Opens an executor whose tasks run on the workers of a queue. */
export async function openQueueExecutor({
  engine,
  folder,
  ...places
}: QueueExecutorPlaces): Promise<QueueExecutor> {
  const { queue, storage } = await openQueueAndStorage(places);
  const close = async (): Promise<void> => {
    await queue.close();
    await storage.close();
  };
  try {
    await createFolder(folder);
    const executor = await createQueueExecutor({
      queue,
      storage,
      store: await storage.placeOf(folder),
      directory: await storage.placeOf(process.cwd()).catch(() => ""),
      engine,
      onNote: (sentence) => places.onNote?.(sentence),
    });
    return {
      ...executor,
      async close() {
        await executor.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Checks that a folder for files exists: a folder that is not mounted must not be created by mistake.
 * @throws InputError if it does not exist
 */
async function assertStorage(place: string): Promise<void> {
  if (isS3(place) || (await stat(place).catch(() => undefined))?.isDirectory()) return;
  throw new InputError(
    `Cannot use "${place}" as the storage as it must be a folder that all machines share: there is none; make it, or mount it`,
    { input: place },
  );
}
