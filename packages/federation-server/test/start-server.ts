import { type ServedFederation, serveFederation, type Workers } from "@isthmus/federation-server";
import { createInlineWorkers } from "../src/work/workers.ts";
import { type PlainClient, plainClient } from "./plain-client.ts";
import { makeFederation, type SmallFederation, type SmallOptions } from "./small-federation.ts";

/** A small federation that is served. */
export interface ServedSmall extends SmallFederation {
  readonly server: ServedFederation;
  client(name: string): PlainClient;
}

/** Serves small federations, and ends them all. */
export function createServing() {
  const closers: (() => unknown)[] = [];
  const reopen = async (
    federation: SmallFederation,
    workers: Workers = createInlineWorkers(),
  ): Promise<ServedSmall> => {
    const server = await serveFederation(federation.config, { logLevel: "silent", workers });
    closers.push(server.close);
    return { ...federation, server, client: (name) => plainClient(server.url, federation.tokens.get(name)) };
  };
  return {
    reopen,
    async serve(options?: SmallOptions, workers?: Workers): Promise<ServedSmall> {
      const federation = await makeFederation(options);
      closers.push(federation.remove);
      return reopen(federation, workers);
    },
    async close(): Promise<void> {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}
