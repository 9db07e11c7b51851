import { afterAll, beforeAll } from "vitest";
import { freshPlace } from "../../../test/bull-place.ts";
import { describeQueue } from "../../../test/queue-conformance.ts";
import { startPostgres } from "../../../test/start-postgres.ts";
import type { StartedServer } from "../../../test/start-process.ts";

let server: StartedServer | undefined;

beforeAll(async () => {
  server = await startPostgres();
});

afterAll(async () => {
  await server?.stop();
});

describeQueue("openBullQueue() on PostgreSQL", async () =>
  server === undefined ? undefined : freshPlace(server.url),
);
