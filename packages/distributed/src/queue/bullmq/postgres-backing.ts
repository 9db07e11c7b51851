import {
  assertSchemaCompatibility,
  createPostgresBackend,
  DEFAULT_SCHEMA,
  LATEST_SCHEMA_VERSION,
  runMigrations,
  SchemaMigrationRequiredError,
} from "bullmq";
import type { Client, Pool, PoolClient } from "pg";
import { type Backing, type BackingPlace, cannotOpen, importClient } from "./backing.ts";
import { endWithin } from "./end-within.ts";
import { readLateEvents } from "./late-events.ts";

/** Connections of each class of BullMQ, one of which listens; they are closed when idle. */
const MOST_CONNECTIONS = 4;
/** Milliseconds that a connection may take. */
const CONNECTION_TIMEOUT = 10_000;

/** Connects to a PostgreSQL that a queue lies in, and makes its tables if it has none. */
export async function openPostgres(place: BackingPlace): Promise<Backing> {
  const pg = await importClient("pg", place, () => import("pg"));
  const connectionString = withSchema(place.url);
  const createPool = (): Pool => {
    const pool = new pg.default.Pool({
      connectionString,
      max: MOST_CONNECTIONS,
      connectionTimeoutMillis: CONNECTION_TIMEOUT,
      keepAlive: true,
    });
    pool.on("error", (error) => place.trouble.report(error));
    return pool;
  };
  // A pool would keep the connection of a client that may not come in, and this process alive with it.
  const first = new pg.default.Client({ connectionString, connectionTimeoutMillis: CONNECTION_TIMEOUT });
  try {
    await prepareSchema(first);
  } catch (error) {
    throw cannotOpen(place, error);
  } finally {
    await endWithin(first.end());
  }
  return {
    factory(name, options, roles) {
      const { connection } = options;
      const backend = createBackend(name, options, roles);
      if (roles?.blocking) readLateEvents(backend, name, connection as Pool);
      return backend;
    },
    connect() {
      const pool = createPool();
      return { connection: pool, end: () => endWithin(pool.end()) };
    },
  };
}

const createBackend = createPostgresBackend as unknown as Backing["factory"];

/** Adds to a URL that names are looked up in the schema of BullMQ. */
function withSchema(url: URL): string {
  const result = new URL(url);
  const options = result.searchParams.get("options");
  const search = `-c search_path=${DEFAULT_SCHEMA}`;
  result.searchParams.set("options", options === null ? search : `${options} ${search}`);
  return result.href;
}

async function prepareSchema(client: Client): Promise<void> {
  // The server may end the connection while it is idle, which is an event without anybody to hear it.
  client.on("error", () => undefined);
  await client.connect();
  if (!(await isCurrent(client as unknown as PoolClient)))
    await runMigrations(client as unknown as PoolClient);
}

/** Whether the tables are there and new enough; a worker need not have the right to make them. */
async function isCurrent(client: PoolClient): Promise<boolean> {
  try {
    return (await assertSchemaCompatibility(client)) >= LATEST_SCHEMA_VERSION;
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return false;
    throw error;
  }
}
