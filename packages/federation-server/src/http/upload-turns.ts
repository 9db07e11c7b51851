import { RefusedError } from "./refuse.ts";

/** Lets one request at a time work on the uploads of a client. */
export interface UploadTurns {
  /**
   * Stops what goes on for a client, as a connection that was lost may not know it yet, and works after it.
   * @param stop - makes the work end early
   * @throws RefusedError if another request came first
   */
  takeOver<T>(client: string, stop: () => void, work: () => Promise<T>): Promise<T>;
  /**
   * Works if nothing goes on for a client; what comes meanwhile waits for it.
   * @throws RefusedError if something does
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
