import { at, createBytesSource, entry } from "@isthmus/core";
import { deriveKey } from "../src/random/derive-key.ts";
import { maskUpdate } from "../src/secure/mask-update.ts";
import type {
  DeliveryMessage,
  RosterMessage,
  ServerMessage,
  SurvivorsMessage,
} from "../src/secure/messages.ts";
import { openSecureSum, type SecureSum } from "../src/secure/open-secure-sum.ts";
import {
  confirmSurvivors,
  openSecureClient,
  receiveShares,
  revealShares,
  type SecureClientState,
  shareSecrets,
} from "../src/secure/secure-client.ts";
import {
  closeStage,
  openSecureServer,
  receiveSecure,
  type SecureServerState,
  type SecureStage,
} from "../src/secure/secure-server.ts";
import { type SecureSettings, wordsOf } from "../src/secure/secure-settings.ts";

/** Client of a test: its update, and the stage in which it sends nothing any more. */
export interface TestClient {
  readonly name: string;
  readonly examples: number;
  readonly clipWeight?: number;
  readonly values: Float64Array;
  readonly lostAt?: SecureStage | undefined;
  /** Private key of the client in PEM, if it signs its keys and the list of survivors. */
  readonly identity?: string | undefined;
  /** Public keys of the others in PEM, if the client knows them. */
  readonly peers?: ReadonlyMap<string, string> | undefined;
}

const STAGES: readonly SecureStage[] = ["keys", "shares", "masked", "confirm", "reveal"];

export interface SecureRun {
  readonly sum: SecureSum;
  readonly server: SecureServerState;
  readonly clients: ReadonlyMap<string, SecureClientState>;
  /** Masked updates as the server has them. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** A round up to the end of a stage: who is where, and the messages that go out. */
export interface PartialRun {
  server: SecureServerState;
  readonly clients: Map<string, SecureClientState>;
  readonly files: Map<string, Uint8Array>;
  messages: readonly { readonly to: string; readonly message: ServerMessage }[];
}

export const secretOfTest = (name: string, seed = 1): Uint8Array => deriveKey(seed, "test client", name);

/** Runs the stages up to one and including it; every message and state goes through JSON, as over a network. */
export async function runStages(
  settings: SecureSettings,
  clients: readonly TestClient[],
  last: SecureStage = "reveal",
  seed = 1,
): Promise<PartialRun> {
  const run: PartialRun = {
    server: openSecureServer(settings),
    clients: new Map(),
    files: new Map(),
    messages: settings.clients.map((to) => ({ to, message: undefined as never })),
  };
  for (const [index, stage] of STAGES.entries()) {
    if (stage !== run.server.stage) continue;
    for (const { to, message } of run.messages) {
      const client = at(
        clients,
        clients.findIndex(({ name }) => name === to),
      );
      if (client.lostAt !== undefined && STAGES.indexOf(client.lostAt) <= index) continue;
      const sent = await answer(run, settings, { client, message, seed });
      run.server = copy(receiveSecure(run.server, copy(sent)));
    }
    const closed = closeStage(run.server);
    run.server = copy(closed.state);
    run.messages = copy(closed.messages);
    if (stage === last) break;
  }
  return run;
}

export async function runSecureSum(
  settings: SecureSettings,
  clients: readonly TestClient[],
  seed = 1,
): Promise<SecureRun> {
  const run = await runStages(settings, clients, "reveal", seed);
  const sources = new Map([...run.files].map(([name, bytes]) => [name, createBytesSource(bytes, name)]));
  return { ...run, sum: await openSecureSum(run.server, sources) };
}

async function answer(
  run: PartialRun,
  settings: SecureSettings,
  { client, message, seed }: { client: TestClient; message: ServerMessage | undefined; seed: number },
) {
  const { name } = client;
  if (message === undefined) {
    const opened = openSecureClient(settings, name, secretOfTest(name, seed), client.identity);
    run.clients.set(name, copy(opened.state));
    return opened.message;
  }
  const state = entry(run.clients, name);
  if (message.kind === "delivery") {
    const ready = receiveShares(state, message as DeliveryMessage);
    run.clients.set(name, copy(ready));
    const words = new Uint32Array(wordsOf(settings));
    const { examples, clipWeight, values } = client;
    const masked = await maskUpdate(ready, {
      examples,
      clipWeight,
      readInto: (begin, out) => out.set(values.subarray(begin, begin + out.length)),
      write: (begin, range) => words.set(range, begin),
    });
    run.files.set(name, new Uint8Array(words.buffer));
    return masked.message;
  }
  const { identity = "", peers } = client;
  const step =
    message.kind === "roster"
      ? await shareSecrets(state, message as RosterMessage, peers)
      : run.server.stage === "confirm"
        ? confirmSurvivors(state, message as SurvivorsMessage, identity)
        : revealShares(state, message as SurvivorsMessage, peers);
  run.clients.set(name, copy(step.state));
  return step.message;
}

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
