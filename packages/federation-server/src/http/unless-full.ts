import type { Federation } from "../server/running-federation.ts";
import { RefusedError } from "./refuse.ts";

/** Makes the answer to a client if the server's disk is full: clients ask again after this status. */
export const diskFull = (): RefusedError =>
  new RefusedError(
    503,
    "The disk of the server must have room: it is full; ask again, it goes on once there is room",
  );

/**
 * Does the work of a request, unless the disk is full or becomes so meanwhile: then the client gets the
 * reason at once, and work that has begun goes on once there is room.
 * @throws RefusedError if the disk is full
 */
export function unlessFull<T>({ waitsForRoom, changed }: Federation, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (waitsForRoom.size > 0) reject(diskFull());
    };
    look();
    if (waitsForRoom.size > 0) return;
    const stop = changed.listen(look);
    work().then(resolve, reject).finally(stop);
  });
}
