import { randomUUID } from "node:crypto";
import { openBullQueue } from "../src/queue/bullmq/open-bull-queue.ts";
import type { QueuePlace } from "./conformance/queue-place.ts";

/** Makes up a queue that nobody has used, on a server. */
export function freshPlace(server: URL): QueuePlace {
  const name = `test-${randomUUID()}`;
  return { open: () => openBullQueue(server, { name }), elsewhere: { address: server.href, name } };
}
