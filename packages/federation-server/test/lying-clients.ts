import { generateKeyPairSync } from "node:crypto";
import type { SecureTask } from "@isthmus/federated";
import type { ClientEvent, JoinFederationOptions } from "@isthmus/federation-server/client";
import { type AskedRequest, answerOf, type Lie, lieFor } from "./lying-server.ts";
import { joinAs, makeSecure } from "./secure-small.ts";
import type { SmallOptions } from "./small-federation.ts";
import { createServing } from "./start-server.ts";

/** Keys by which clients know each other. */
export type Trust = Pick<JoinFederationOptions, "identity" | "peers">;

/** Names of the clients of a federation whose server lies. */
export const NAMES = ["ada", "bea", "cas"] as const;

/** Makes identities of all clients, and gives each client the public keys of the others. */
export function makeTrust(names: readonly string[] = NAMES): (name: string) => Trust {
  const pairs = new Map(names.map((name) => [name, generateKeyPairSync("ed25519")]));
  const peers = Object.fromEntries(
    [...pairs].map(([name, { publicKey }]) => [
      name,
      String(publicKey.export({ format: "pem", type: "spki" })),
    ]),
  );
  return (name) => ({
    identity: String(pairs.get(name)?.privateKey.export({ format: "pem", type: "pkcs8" })),
    peers: Object.fromEntries(Object.entries(peers).filter(([other]) => other !== name)),
  });
}

/** Whether a request is for a secure sum of a round. */
export const isSecure = ({ method, path }: AskedRequest, round: number, wanted: string): boolean =>
  method === wanted && path === `/v1/rounds/${round}/secure`;

/** Changes the tasks of secure sums that a client is given, in all rounds. */
export const withTasks =
  (change: (task: SecureTask, round: number, request: AskedRequest) => SecureTask): Lie =>
  async (request, honest) => {
    const answer = await honest();
    const [, round] = /^\/v1\/rounds\/(\d+)\/secure$/.exec(request.path) ?? [];
    if (request.method !== "GET" || round === undefined || answer.status !== 200) return answer;
    return answerOf(200, change(JSON.parse(answer.body.toString()) as SecureTask, Number(round), request));
  };

/** Runs federations of which some clients ask a server that lies, and ends them after each test. */
export function createLying() {
  const serving = createServing();
  const closers: (() => unknown)[] = [];
  return {
    serving,
    async close() {
      for (const close of closers.splice(0).reverse()) await close();
      await serving.close();
    },
    /** Lets clients take part, of which the first ones ask the server that lies. */
    async join(
      lie: Lie,
      {
        names = NAMES,
        trust = () => ({}),
        liars = 1,
        options = {},
        ...small
      }: {
        readonly names?: readonly string[];
        readonly trust?: (name: string) => Trust;
        /** Number of clients that ask the server that lies. */
        readonly liars?: number;
        readonly options?: Partial<JoinFederationOptions>;
      } & SmallOptions = {},
    ) {
      const federation = await makeSecure({
        ...small,
        clients: names,
        plan: { quorum: names.length, available: names.length, ...small.plan },
      });
      closers.push(federation.remove);
      const { server } = await serving.reopen(federation);
      const liar = await lieFor(server.url, lie);
      const stop = new AbortController();
      closers.push(liar.close, () => stop.abort());
      const events: ClientEvent[] = [];
      const onEvent = (event: ClientEvent) => void events.push(event);
      const joined = names.map((name, i) => {
        const url = i < liars ? liar.url : server.url;
        const own = i === 0 ? { ...options, onEvent } : options;
        return joinAs(federation, url, name, { signal: stop.signal, ...own, ...trust(name) });
      });
      for (const client of joined) client.catch(() => undefined);
      return { joined, events, server, federation };
    },
  };
}
