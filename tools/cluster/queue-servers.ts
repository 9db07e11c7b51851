import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../../packages/distributed/test/start-postgres.ts";
import type { StartedServer } from "../../packages/distributed/test/start-process.ts";
import { startRedis } from "../../packages/distributed/test/start-redis.ts";

/** A queue that a tool has for itself. */
export interface ToolQueue {
  /** What --queue takes. */
  readonly address: string;
  /** Its server, to be killed and restarted; undefined for a folder. */
  readonly server: StartedServer | undefined;
  stop(): Promise<void>;
}

const QUEUE_SORTS = ["folder", "redis", "postgres"] as const;
export type QueueSort = (typeof QUEUE_SORTS)[number];

/** Returns the sort of queue of a name, as options of tools have it. */
export function queueSort(name: string): QueueSort {
  const sort = QUEUE_SORTS.find((one) => one === name);
  if (sort !== undefined) return sort;
  throw new Error(
    `Cannot start a queue as its sort must be one of ${QUEUE_SORTS.join(", ")}: it is "${name}"`,
  );
}

/** Starts an empty queue of a sort; undefined, with a warning, if its server is not installed. */
export async function startQueue(sort: QueueSort): Promise<ToolQueue | undefined> {
  if (sort === "folder") {
    const folder = mkdtempSync(join(tmpdir(), "isthmus-queue-"));
    const stop = async (): Promise<void> => rmSync(folder, { recursive: true, force: true });
    return { address: folder, server: undefined, stop };
  }
  const server = sort === "redis" ? await startRedis() : await startPostgres();
  return server && { address: server.url.href, server, stop: () => server.stop() };
}
