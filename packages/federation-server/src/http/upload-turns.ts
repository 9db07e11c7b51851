import { RefusedError } from "./refuse.ts";

/** Turns of requests, of which only one at a time works on the uploads of a client. */
export interface UploadTurns {
  /**
   * Stops the work that is under way for a client, as its connection may be lost unnoticed, and begins new
   * work after it.
   * @param stop - function that ends the new work early
   * @throws RefusedError if another request began its work first
   */
  takeOver<T>(client: string, stop: () => void, work: () => Promise<T>): Promise<T>;
  /**
   * Begins work if none is under way for a client; later requests wait for its end.
   * @throws RefusedError if other work is under way
   */
  begin<T>(client: string, work: () => Promise<T>): Promise<T>;
}

/** Creates the turns of all clients. */
export function createUploadTurns(): UploadTurns {
  const working = new Map<string, { readonly stop: () => void; readonly done: Promise<unknown> }>();
  const run = async <T>(client: string, stop: () => void, work: () => Promise<T>): Promise<T> => {
    const entry = { stop, done: work() };
    working.set(client, entry);
    try {
      return await entry.done;
    } finally {
      if (working.get(client) === entry) working.delete(client);
    }
  };
  return {
    async takeOver(client, stop, work) {
      const before = working.get(client);
      before?.stop();
      await before?.done.catch(() => undefined);
      if (working.get(client) !== before && working.has(client)) throw busy();
      return run(client, stop, work);
    },
    async begin(client, work) {
      if (working.has(client)) throw busy();
      return run(client, () => undefined, work);
    },
  };
}

function busy(): RefusedError {
  return new RefusedError(409, "Another request of the client is writing an upload: ask how far it came");
}
