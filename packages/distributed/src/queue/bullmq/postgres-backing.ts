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

/**
 * Maximum number of connections for each class of BullMQ, one of which listens; idle connections are closed.
 */
const MOST_CONNECTIONS = 4;
/** Milliseconds until an attempt to connect fails. */
const CONNECTION_TIMEOUT = 10_000;

/** Connects to the PostgreSQL database of a queue, and makes missing tables. */
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
    // The pool hears errors of idle clients alone: a client in use whose connection ends between two queries
    // would end the process.
    pool.on("connect", (client) => client.on("error", (error) => place.trouble.report(error)));
    return pool;
  };
  // A pool would keep the connection of a rejected client, and with it this process, alive.
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

/** Adds the schema of BullMQ to a URL, so that names of tables are looked up in it. */
function withSchema(url: URL): string {
  const result = new URL(url);
  const options = result.searchParams.get("options");
  const search = `-c search_path=${DEFAULT_SCHEMA}`;
  result.searchParams.set("options", options === null ? search : `${options} ${search}`);
  return result.href;
}

async function prepareSchema(client: Client): Promise<void> {
  // The server may end an idle connection, which emits an error: without a listener it would end the process.
  client.on("error", () => undefined);
  await client.connect();
  if (!(await isCurrent(client as unknown as PoolClient)))
    await runMigrations(client as unknown as PoolClient);
}

/** Checks whether the tables exist and are new enough, as a worker may lack the right to make them. */
async function isCurrent(client: PoolClient): Promise<boolean> {
  try {
    return (await assertSchemaCompatibility(client)) >= LATEST_SCHEMA_VERSION;
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return false;
    throw error;
  }
}
