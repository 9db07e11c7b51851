import { InputError } from "@isthmus/core";
import { createRedisBackend } from "bullmq";
import type { Redis } from "ioredis";
import {
  type Backing,
  type BackingConnection,
  type BackingPlace,
  cannotOpen,
  importClient,
} from "./backing.ts";

/** Lowest version that BullMQ works with, as major and minor. */
const LOWEST_VERSION = [6, 2] as const;
/** Milliseconds before the server is tried again: doubled each time, up to the longest. */
const PAUSE = { first: 100, longest: 2000 } as const;

/** Connects to the Redis database of a queue. */
export async function openRedis(place: BackingPlace): Promise<Backing> {
  const { Redis } = await importClient("ioredis", place, () => import("ioredis"));
  const create = (): Redis =>
    new Redis(place.url.href, {
      // Commands wait while the server is away; `insist` limits how long.
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(PAUSE.first * 2 ** (times - 1), PAUSE.longest),
      lazyConnect: true,
    });
  const first = create();
  try {
    await reach(first);
    await checkServer(first, place);
  } catch (error) {
    throw error instanceof InputError ? error : cannotOpen(place, error);
  } finally {
    first.disconnect();
  }
  return {
    factory: createRedisBackend as unknown as Backing["factory"],
    connect: () => watchClient(create(), place),
  };
}

/** Watches a client, and all clients that BullMQ duplicates from it to wait for jobs. */
function watchClient(client: Redis, { trouble }: BackingPlace): BackingConnection {
  const clients = new Set([endAlways(client)]);
  const { duplicate } = client;
  client.duplicate = (options) => {
    const copy = endAlways(duplicate.call(client, options));
    clients.add(copy);
    return copy;
  };
  client.on("ready", () => trouble.over());
  client.on("error", (error) => trouble.report(error));
  return {
    connection: client,
    async end() {
      // BullMQ waits for an answer to its farewell, which does not come from a server that is away.
      for (const one of clients) one.disconnect();
    },
  };
}

/**
 * Lets a client end while it waits to connect again: ioredis then stops waiting, but neither emits `end` nor
 * fails pending commands, so that BullMQ, and this process, would wait for ever.
 */
function endAlways(client: Redis): Redis {
  const { disconnect } = client;
  client.disconnect = (again) => {
    if (again !== true && client.status === "reconnecting") client.status = "wait";
    disconnect.call(client, again);
  };
  return client;
}

/** Connects for the first time, and fails with the first error: a wrong address is not tried again. */
async function reach(client: Redis): Promise<void> {
  const failed = new Promise<never>((_resolve, reject) => void client.on("error", reject));
  const connected = client.connect();
  connected.catch(() => undefined);
  await Promise.race([connected, failed]);
}

/** Checks the version of the server, and that it does not evict keys when memory is short. */
async function checkServer(client: Redis, { name, trouble }: BackingPlace): Promise<void> {
  const info = await client.info();
  const find = (field: string): string | undefined => new RegExp(`^${field}:(.*?)\\r?$`, "m").exec(info)?.[1];
  const version = find("redis_version");
  if (version !== undefined && isTooOld(version)) {
    throw new InputError(
      `Cannot open the ${name} as Redis must be ${LOWEST_VERSION.join(".")} or newer: it is ${version}; update it`,
      { input: name },
    );
  }
  const policy = find("maxmemory_policy");
  if (policy !== undefined && policy !== "noeviction") {
    trouble.tell(
      `The ${name} may lose tasks as maxmemory-policy must be noeviction: it is ${policy}; ` +
        "set it in redis.conf, or by CONFIG SET",
    );
  }
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [lowest, lowestMinor] = LOWEST_VERSION;
  return major < lowest || (major === lowest && minor < lowestMinor);
}
