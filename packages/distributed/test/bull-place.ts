import { randomUUID } from "node:crypto";
import type { QueuePlace } from "./conformance/queue-place.ts";
import { openPlace } from "./open-place.ts";

const MODULE = new URL("./open-place.ts", import.meta.url).href;

/** Makes up a queue that nobody has used, on a server. */
export function freshPlace(server: URL): QueuePlace {
  const url = new URL(server);
  url.hash = `test-${randomUUID()}`;
  return { open: () => openPlace(url.href), elsewhere: { module: MODULE, place: url.href } };
}
