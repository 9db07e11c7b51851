import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { lockPathOf, takeLock } from "@isthmus/core";
import type { FederationState } from "@isthmus/federated";
import { pino } from "pino";
import { doubtAboutClients } from "../config/assert-served-privacy.ts";
import type { FederationConfig } from "../config/federation-config.ts";
import { createApp } from "../http/create-app.ts";
import { openStore } from "../store/store.ts";
import { followTokens, readTokens } from "../tokens/tokens.ts";
import { createThreadWorkers, type Workers } from "../work/workers.ts";
import { openFederation } from "./federation.ts";

/** Options of {@link serveFederation}. */
export interface ServeOptions {
  /** Called with each line of the log, JSON as pino writes it. @defaultValue standard error */
  readonly onLog?: ((line: string) => void) | undefined;
  /** Lowest level of lines that are logged. @defaultValue "info" */
  readonly logLevel?: "debug" | "info" | "warn" | "error" | "silent";
  /** Workers that check, aggregate and evaluate. @defaultValue threads of this process */
  readonly workers?: Workers | undefined;
  /** Clock in milliseconds. @defaultValue a monotonic clock that begins at the time of day */
  readonly now?: (() => number) | undefined;
}

/** A server that listens. */
export interface ServedFederation {
  /** Address of the live page, and the one at which clients join. */
  readonly url: string;
  /** State of the federation. */
  readonly state: FederationState;
  /**
   * Resolves when the federation is over; rejects if the journal cannot be written any more, or the folder
   * is damaged.
   */
  readonly finished: Promise<FederationState>;
  /** Returns the path of the global network. */
  network(): string;
  /** Stops the server; the next server of the same folder continues the federation. */
  close(): Promise<void>;
}

/**
 * Serves a federation over HTTP, or HTTPS if there is a certificate, until it is closed: also after its last
 * round, so that clients can read the network.
 * @throws InputError if another server uses the folder, a file cannot be read, or key and certificate do not
 *   fit each other
 * @throws MismatchError if the folder has a federation of another plan or network
 * @throws FormatError if the journal or the tokens are damaged
 */
export async function serveFederation(
  config: FederationConfig,
  options: ServeOptions = {},
): Promise<ServedFederation> {
  const { onLog, logLevel = "info", workers = createThreadWorkers(), now } = options;
  const logger = pino(
    { level: logLevel },
    onLog === undefined ? pino.destination({ dest: 2, sync: true }) : { write: onLog },
  );
  const { folder } = await openStore(config.folder);
  const release = await takeLock(lockPathOf(join(folder, "journal.jsonl"), "server"), folder);
  const closers: (() => Promise<unknown>)[] = [release, () => workers.close()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const over = deferred<FederationState>();
    const federation = await openFederation(config, {
      workers,
      log: logger,
      onFatal: over.reject,
      ...(now && { now }),
    });
    closers.push(() => federation.close());
    const doubt = doubtAboutClients(config, (await readTokens(config.tokens)).size);
    if (doubt !== undefined) logger.warn(doubt);
    const tokens = await followTokens(config.tokens, (reason) =>
      logger.warn({ reason }, "tokens stay as they were"),
    );
    const app = await createApp({ federation, tokens, logger });
    closers.push(() => app.close());
    await app.listen({ host: config.host, port: config.port });
    const address = app.server.address() as AddressInfo;
    if (config.tls === null && !isLoopback(address)) {
      logger.warn(
        { address: address.address },
        "tokens and networks can be read on the way to other machines: set tls, or listen at 127.0.0.1 behind a proxy",
      );
    }
    const look = (): void => {
      const { state } = federation;
      if (state.status === "finished" || state.status === "failed") over.resolve(state);
    };
    federation.changed.listen(look);
    look();
    return {
      url: urlOf(config, address),
      get state() {
        return federation.state;
      },
      finished: over.promise,
      network: () => federation.store.model(federation.state.network),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Returns whether only programs of this machine can reach an address: 127.0.0.0/8 and ::1 (RFC 6890). */
const isLoopback = ({ address }: AddressInfo): boolean =>
  /^(::ffff:)?127\./.test(address) || address === "::1";

function urlOf({ tls }: FederationConfig, { address, family, port }: AddressInfo): string {
  const host = family === "IPv6" ? `[${address}]` : address;
  return `${tls === null ? "http" : "https"}://${host}:${port}`;
}

function deferred<T>() {
  let settle: { resolve: (value: T) => void; reject: (error: unknown) => void } | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // A caller that does not wait for the promise must not be ended by its rejection.
  promise.catch(() => undefined);
  return {
    promise,
    resolve: (value: T) => settle?.resolve(value),
    reject: (error: unknown) => settle?.reject(error),
  };
}
