import { afterAll, beforeAll } from "vitest";
import { freshPlace } from "../../../test/bull-place.ts";
import { describeQueue } from "../../../test/queue-conformance.ts";
import type { StartedServer } from "../../../test/start-process.ts";
import { startRedis } from "../../../test/start-redis.ts";

let server: StartedServer | undefined;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server?.stop();
});

describeQueue("openBullQueue() on Redis", async () =>
  server === undefined ? undefined : freshPlace(server.url),
);
