import { InputError } from "@isthmus/core";
import type { BackendFactory, IQueueBackend } from "bullmq";
import { failure, type Trouble } from "./trouble.ts";

/** Database in which BullMQ keeps a queue: Redis or PostgreSQL. */
export interface Backing {
  /** Function by which BullMQ makes the part of itself that talks to this database. */
  readonly factory: BackendFactory<IQueueBackend, BackingClient>;
  /** Makes a client for one of the classes of BullMQ. */
  connect(): BackingConnection;
}

/** A client of Redis or PostgreSQL: BullMQ passes it on unread, and only its backend uses it. */
export type BackingClient = object;

/** A client of one of the classes of BullMQ, to be ended after it is closed. */
export interface BackingConnection {
  /** Client to pass to a class of BullMQ. */
  readonly connection: BackingClient;
  /** Ends the connection, even if the server is away. */
  end(): Promise<unknown>;
}

/** Address of a queue that is to be opened, with its name and its reports of trouble. */
export interface BackingPlace {
  /** Address of the database, with any user name and password. */
  readonly url: URL;
  /** Name of the queue for people, such as in messages. */
  readonly name: string;
  /** Returns the message of an error without user names and passwords. */
  readonly clean: (error: unknown) => string;
  /** Reports of lost connections, and repetition of requests until the database answers. */
  readonly trouble: Trouble;
}

/**
 * Imports a package that only queues in databases need, and which must be installed beside this one.
 * @param packageName - name of the package; if others are needed with it, their names follow after spaces
 */
export async function importClient<T>(
  packageName: string,
  { name }: Pick<BackingPlace, "name">,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new InputError(
      `Cannot open the ${name} as the npm package ${packageName.split(" ")[0]} must be installed: it is not; ` +
        `run npm install ${packageName}`,
      { input: name },
    );
  }
}

/** Makes the error for a server that cannot be used from the start. */
export function cannotOpen({ name, clean }: BackingPlace, error: unknown): InputError {
  return failure(`open the ${name}`, clean(error), name);
}
