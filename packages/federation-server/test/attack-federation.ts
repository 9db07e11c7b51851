import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createRandom, type Random } from "@isthmus/core";
import { HOSTILE_ACTIONS } from "./hostile-actions.ts";
import { plainClient } from "./plain-client.ts";
import {
  type Body,
  bodyOf,
  hashOfAggregate,
  makeFederation,
  makeUpdate,
  type SmallFederation,
} from "./small-federation.ts";

/** A server that is attacked, in this process or another. */
export interface AttackedServer {
  readonly url: string;
  /** Ends it, however. */
  stop(): Promise<void>;
}

/** Options of {@link attackFederation}. */
export interface AttackOptions {
  readonly seed: number;
  /** Number of hostile actions. */
  readonly actions: number;
  readonly rounds: number;
  /** Rounds after which the server is ended and started again. */
  readonly restart: number;
  readonly start: (federation: SmallFederation) => Promise<AttackedServer>;
}

/** Outcome of an attack, as plain data. */
export interface AttackResult {
  readonly seed: number;
  readonly rounds: number;
  /** Number of actions by kind. */
  readonly actions: Readonly<Record<string, number>>;
  /** Number of answers by status, 0 for connections that were closed. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Updates that counted. */
  readonly accepted: { readonly honest: number; readonly hostile: number };
  /** Refusals that the journal counts. */
  readonly refused: number;
  /** Faults in words: a network that is not the aggregate of sound updates, an honest client left out, a failure. */
  readonly wrong: readonly string[];
  readonly restarts: number;
  readonly journalBytes: number;
}

const HONEST: readonly string[] = ["ada", "bea", "cas"];
const HOSTILE: readonly string[] = Array.from({ length: 9 }, (_, i) => `mal-${i}`);
/** Width of the network: it must take some time to check an update, lest nothing could come in between. */
const SCALE = 16;
/** Hostile actions at once. */
const AT_ONCE = 8;

/** An event of the journal, as far as an attack is judged by it. */
interface JournaledEvent {
  readonly kind: string;
  readonly round: number;
  readonly client: string;
  readonly hash: string;
  readonly examples: number;
  readonly times?: number;
}

/** Attacks a federation from a seed, beside honest clients, and checks the network of every round. */
export async function attackFederation(options: AttackOptions): Promise<AttackResult> {
  const { seed, rounds, actions: count, start, restart } = options;
  const plan = { rounds, quorum: HONEST.length, available: HONEST.length + HOSTILE.length };
  const clients = [...HONEST, ...HOSTILE];
  const federation = await makeFederation({ clients, plan, limits: { norm: 100 }, scale: SCALE });
  const attack = createAttack(federation, seed);
  let server = await start(federation);
  let restarts = 0;
  try {
    for (let round = 1; round <= rounds; round++) {
      const before = Math.floor((count * (round - 1)) / rounds);
      await attack.round(server.url, round, Math.floor((count * round) / rounds) - before);
      if (round % restart !== 0 && round < rounds) continue;
      await server.stop();
      server = await start(federation);
      restarts++;
    }
    const summary = await plainClient(server.url, undefined).request("GET", "/v1/summary");
    const { status } = (await summary.json()) as { readonly status: string };
    if (status !== "finished") attack.wrong.push(`the federation is ${status} at its end`);
    return { seed, rounds, ...attack.result(), restarts };
  } finally {
    await server.stop();
    federation.remove();
  }
}

/** Creates what goes on over the rounds of an attack. */
function createAttack(federation: SmallFederation, seed: number) {
  const random = createRandom(seed, "hostile clients");
  const known = new Map<string, Buffer>();
  const seen: Body[] = [];
  const [done, statuses] = [new Map<string, number>(), new Map<string, number>()];
  const wrong: string[] = [];
  const counted = new Set<string>();
  let pace = 10;
  const clientOf = (url: string, name: string) => plainClient(url, federation.tokens.get(name));
  const sound = (body: Body): Body => {
    known.set(body.hash, body.bytes);
    return body;
  };
  const act = async (url: string, round: number, network: Buffer): Promise<void> => {
    const name = pick(HOSTILE, random);
    // Once an update of a client counts, no other is looked at in the round.
    const swaps = !counted.has(`${round} ${name}`) && random.uniform() < 0.5;
    const kind = swaps ? "swap" : pick(Object.keys(HOSTILE_ACTIONS), random);
    count(done, kind);
    await HOSTILE_ACTIONS[kind]?.({
      ...{
        client: clientOf(url, name),
        token: federation.tokens.get(name) ?? "",
        round,
        network,
        seen,
        sound,
      },
      port: Number(new URL(url).port),
      random: createRandom(random.integer(2 ** 32), kind),
      note: (status) => count(statuses, String(status)),
      counted: (milliseconds) => {
        counted.add(`${round} ${name}`);
        pace = milliseconds;
      },
      pace: () => pace,
    });
  };
  return {
    wrong,
    async round(url: string, round: number, actions: number): Promise<void> {
      for (const name of federation.tokens.keys()) await clientOf(url, name).task();
      const { network: hash } = await clientOf(url, "ada").task(20);
      const network = await clientOf(url, "ada").model(hash);
      const honest = async (name: string): Promise<void> => {
        const body = sound(await makeUpdate(name, round, network));
        const client = clientOf(url, name);
        if (!(await client.upload(body)).ok || !(await client.send(round, body)).ok) {
          wrong.push(`round ${round}: the update of ${name} was refused`);
        }
        seen.push(body);
      };
      const [last = "", ...others] = HONEST;
      const early = others.map(async (name) => {
        await setTimeout(random.integer(100));
        await honest(name);
      });
      let left = actions;
      const work = async (): Promise<void> => {
        while (left-- > 0) await act(url, round, network);
      };
      await Promise.all([...early, ...Array.from({ length: AT_ONCE }, work)]);
      await honest(last);
      for (const name of HOSTILE) await clientOf(url, name).request("DELETE", "/v1/membership");
      await untilOver(() => clientOf(url, last).task(1), round);
      wrong.push(...(await judge(federation, { round, network, known })));
    },
    result: () => describeAttack(federation, { done, statuses, wrong }),
  };
}

/** Describes an attack by what was noted and by the journal. */
function describeAttack(
  federation: SmallFederation,
  {
    done,
    statuses,
    wrong,
  }: {
    readonly done: ReadonlyMap<string, number>;
    readonly statuses: ReadonlyMap<string, number>;
    readonly wrong: readonly string[];
  },
): Omit<AttackResult, "seed" | "rounds" | "restarts"> {
  const events = journalOf(federation);
  const received = events.filter(({ kind }) => kind === "update-received");
  const refused = events.filter(({ kind }) => kind === "update-refused");
  const honest = received.filter(({ client }) => HONEST.includes(client)).length;
  const failures = [...statuses].filter(([status]) => Number(status) >= 500);
  const told = failures.map(([status, times]) => `status ${status} was answered ${times} times`);
  return {
    actions: sorted(done),
    statuses: sorted(statuses),
    accepted: { honest, hostile: received.length - honest },
    refused: refused.reduce((sum, { times = 1 }) => sum + times, 0),
    wrong: [...wrong, ...told],
    journalBytes: statSync(join(federation.config.folder, "journal.jsonl")).size,
  };
}

/** Says what is wrong with a round: its network must be the aggregate of the sound bytes that its updates were named by. */
async function judge(
  federation: SmallFederation,
  {
    round,
    network,
    known,
  }: { readonly round: number; readonly network: Buffer; readonly known: ReadonlyMap<string, Buffer> },
): Promise<readonly string[]> {
  const events = await eventsOf(federation, round);
  const updates = events.filter(({ kind }) => kind === "update-received");
  const missing = HONEST.filter((name) => updates.every(({ client }) => client !== name));
  const unsound = updates.filter(({ hash }) => !known.has(hash));
  const wrong = [
    ...missing.map((name) => `round ${round}: ${name} does not count`),
    ...unsound.map(
      ({ client, hash }) => `round ${round}: ${hash} of ${client} counts, which no check lets pass`,
    ),
  ];
  const sent = updates.map(({ client, examples, hash }) => ({
    client,
    examples,
    bytes: known.get(hash) ?? network,
  }));
  const expected = await hashOfAggregate(federation, round, network, sent);
  const found = events.find(({ kind }) => kind === "round-aggregated")?.hash;
  if (found !== expected)
    wrong.push(`round ${round}: the network is ${found}, and the aggregate ${expected}`);
  const path = join(federation.config.folder, "models", `${found}.safetensors`);
  if (found !== undefined && bodyOf(readFileSync(path)).hash !== found)
    wrong.push(`round ${round}: ${found} has other bytes`);
  return wrong;
}

function journalOf({ config }: SmallFederation): readonly JournaledEvent[] {
  const lines = readFileSync(join(config.folder, "journal.jsonl"), "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line.slice(line.indexOf(" ") + 1)) as JournaledEvent);
}

/** Returns the events of a round that is over: its last one may be told just before it is in the file. */
async function eventsOf(federation: SmallFederation, round: number): Promise<readonly JournaledEvent[]> {
  for (;;) {
    const events = journalOf(federation).filter((event) => event.round === round);
    if (events.some(({ kind }) => kind === "round-aggregated" || kind === "round-failed")) return events;
    await setTimeout(10);
  }
}

/** Waits until a round is over. */
async function untilOver(
  ask: () => Promise<{ readonly task: string; readonly round: number }>,
  round: number,
) {
  for (;;) {
    const task = await ask();
    if (task.task === "finished" || task.round > round) return;
  }
}

const pick = <T>(list: readonly T[], random: Random): T => list[random.integer(list.length)] as T;
const count = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};
const sorted = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
