import type { Pool } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freshPlace } from "../../../test/bull-place.ts";
import { describeQueue } from "../../../test/queue-conformance.ts";
import { startPostgres } from "../../../test/start-postgres.ts";
import type { StartedServer } from "../../../test/start-process.ts";
import { openPostgres } from "./postgres-backing.ts";
import { createTrouble } from "./trouble.ts";

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

it("a connection that ends while it is in use, between two queries, is reported and ends no process", async (context) => {
  if (server === undefined) return context.skip();
  const trouble = createTrouble("queue", String);
  const sentences: string[] = [];
  trouble.listen((sentence) => sentences.push(sentence));
  const backing = await openPostgres({ url: new URL(server.url), name: "queue", clean: String, trouble });
  const [listening, other] = [backing.connect(), backing.connect()];
  const client = await (listening.connection as Pool).connect();
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  const ended = new Promise<void>((resolve) => client.on("end", resolve));
  await (other.connection as Pool).query("SELECT pg_terminate_backend($1)", [rows[0]?.pid]);
  await ended;
  expect(sentences).toHaveLength(1);
  client.release(true);
  trouble.close();
  await Promise.all([listening.end(), other.end()]);
});
