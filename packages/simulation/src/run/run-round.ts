import { at, InvariantError, meanOf, sumOf } from "@isthmus/core";
import {
  advance,
  beginFederation,
  type Decision,
  decide,
  type FederationEvent,
  type FederationState,
  timeOfNext,
} from "@isthmus/federated";
import type { RoundResult } from "../result/federation-run.ts";
import { type AggregatedSent, aggregateSent } from "./aggregate-sent.ts";
import { evaluateRound } from "./evaluate-round.ts";
import { hashNetwork } from "./hash-network.ts";
import { measureClientBarriers } from "./measure-client-barriers.ts";
import type { OpenFederation } from "./open-federation.ts";
import type { ClientState, Position } from "./position.ts";
import { type CountedUpdate, type SentUpdate, sendUpdates } from "./send-updates.ts";
import { openUpdateFiles, type UpdateFiles } from "./update-files.ts";

/** Options of {@link runRound}. */
export interface RunRoundOptions {
  /** Folder to which each update is written once it is made; updates stay in memory if it is absent. */
  readonly folder?: string | undefined;
  /** Signal that stops the round between two clients or steps of a training. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of the round that is done, in `[0, 1]`. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/**
 * Returns the initial position of a federation: all clients are present, and the network is that of its seed.
 */
export async function beginPosition({
  initialize,
  description,
  clients,
  plan,
}: OpenFederation): Promise<Position> {
  const network = initialize(description.seed);
  let state = beginFederation(await hashNetwork(network));
  for (const client of clients.keys()) {
    state = advance(plan, state, { kind: "client-joined", client, at: timeOfNext(state, 0) });
  }
  return {
    state,
    network,
    serverState: undefined,
    variate: undefined,
    clients: new Map(),
    rounds: [],
    barriers: [],
  };
}

/**
 * Runs one round: the state machine of a server makes the decisions, and their effects are simulated. The
 * clock belongs to the simulation, and advances only if a server would wait for clients that were lost.
 * @returns position of the federation after the round, or after the federation failed; the same position if
 * the federation was over
 */
export async function runRound(
  federation: OpenFederation,
  position: Position,
  options: RunRoundOptions = {},
): Promise<Position> {
  const { folder } = options;
  const files = folder === undefined ? undefined : await openUpdateFiles(folder);
  const round = new Round(federation, position, { ...options, files });
  try {
    while (!round.isOver) {
      const decision = decide(federation.plan, round.state, round.now);
      if (decision.kind === "finish") break;
      await round.follow(decision);
    }
    await files?.remove();
    return round.position;
  } finally {
    await files?.close();
  }
}

type RoundOptions = Omit<RunRoundOptions, "folder"> & { readonly files: UpdateFiles | undefined };
type DecisionOf<K extends Decision["kind"]> = Extract<Decision, { kind: K }>;

class Round {
  readonly #federation: OpenFederation;
  readonly #options: RoundOptions;
  readonly #before: Position;
  position: Position;
  /** The clock of the simulation, in milliseconds. */
  now: number;
  isOver = false;
  /** Updates of this round, by client and hash of the network. */
  readonly #sent = new Map<string, SentUpdate>();
  readonly #refused = new Map<string, number>();
  #asked = 0;

  constructor(federation: OpenFederation, position: Position, options: RoundOptions) {
    this.#federation = federation;
    this.#before = position;
    this.position = position;
    this.#options = options;
    this.now = timeOfNext(position.state, 0);
  }

  get state(): FederationState {
    return this.position.state;
  }

  /** Carries out a decision, and reports the result to the state machine as an event. */
  async follow(decision: Exclude<Decision, { kind: "finish" }>): Promise<void> {
    switch (decision.kind) {
      case "open-secure":
      case "close-secure":
        throw new InvariantError("Updates of a simulation are not summed securely; please report this");
      case "start":
        return this.#start(decision);
      case "ask":
        throw new InvariantError("Clients of a simulation do not leave; please report this");
      case "close":
        return this.#advance({ ...decision, kind: "round-closed", at: this.now });
      case "aggregate":
        return this.#aggregate(decision);
      case "abort":
        return this.#advance({ ...decision, kind: "round-aborted", at: this.now });
      case "wait":
        return this.#wait(decision);
      case "fail":
        return this.#fail(decision.reason);
    }
  }

  #advance(event: FederationEvent): void {
    const state = advance(this.#federation.plan, this.state, event);
    this.position = { ...this.position, state };
    this.now = timeOfNext(state, this.now);
  }

  async #start({ round, attempt, clients, target }: DecisionOf<"start">): Promise<void> {
    this.#advance({ kind: "round-started", round, attempt, clients, target, at: this.now });
    this.#asked += clients.length;
    const sent = await sendUpdates(this.#federation, this.#before, {
      round,
      attempt,
      clients,
      ...this.#options,
    });
    for (const update of sent) this.#receive(round, update);
  }

  #receive(round: number, update: SentUpdate): void {
    const { client, refused } = update;
    if (refused !== undefined) {
      this.#refused.set(refused, (this.#refused.get(refused) ?? 0) + 1);
      this.#advance({ kind: "update-refused", client, round, reason: refused, at: this.now });
      return;
    }
    const { hash, examples, loss } = update;
    this.#sent.set(keyOf(client, hash), update);
    this.#advance({ kind: "update-received", client, round, hash, examples, loss, at: this.now });
  }

  #wait({ until, reason }: DecisionOf<"wait">): void {
    // Without a deadline no event can follow any more: clients of a simulation neither join nor leave.
    if (until === null) {
      this.#fail(reason);
      return;
    }
    this.now = Math.max(this.now, until);
    this.#advance({ kind: "time-passed", at: this.now });
  }

  #fail(reason: string): void {
    this.#advance({ kind: "failed", reason, at: this.now });
    this.isOver = true;
  }

  async #aggregate({ round, step, updates }: DecisionOf<"aggregate">): Promise<void> {
    const federation = this.#federation;
    const sent = updates.map(({ client, hash }) => sentOf(this.#sent, client, hash));
    const { signal } = this.#options;
    const barriers = await measureClientBarriers(federation, sent, round, signal);
    const aggregated = await aggregateSent(federation, this.position, { round, step, sent, signal });
    // Clients keep their own state even if the round fails.
    const clients = new Map<string, ClientState>([
      ...this.position.clients,
      ...sent.map(({ client, state }) => [client, state] as const),
    ]);
    this.position = { ...this.position, ...aggregated.next, clients };
    const result = await this.#describe(round, { sent, aggregated });
    this.position = {
      ...this.position,
      rounds: [...this.position.rounds, result],
      barriers: [...this.position.barriers, ...barriers],
    };
    await this.#finish(round, result, aggregated);
    this.isOver = true;
  }

  async #finish(
    round: number,
    { accuracy, loss }: RoundResult,
    { failed, empty }: AggregatedSent,
  ): Promise<void> {
    if (failed !== undefined) {
      this.#advance({ kind: "round-failed", round, reason: failed, at: this.now });
      return;
    }
    if (empty) {
      this.#advance({ kind: "round-empty", round, at: this.now });
      return;
    }
    const metrics = Object.fromEntries(
      Object.entries({ accuracy, loss }).filter((entry): entry is [string, number] =>
        Number.isFinite(entry[1]),
      ),
    );
    const hash = await hashNetwork(this.position.network);
    this.#advance({ kind: "round-aggregated", round, hash, metrics, at: this.now });
  }

  async #describe(
    round: number,
    { sent, aggregated }: { readonly sent: readonly CountedUpdate[]; readonly aggregated: AggregatedSent },
  ): Promise<RoundResult> {
    const { description, plan, sentBytes } = this.#federation;
    const { changeNorm, privacy, failed } = aggregated;
    const before = this.position.rounds.at(-1);
    const [down, up] = before === undefined ? [0, 0] : [before.bytesDown, before.bytesUp];
    const losses = sent.flatMap(({ trainLoss }) => (trainLoss === undefined ? [] : [trainLoss]));
    const { every } = description.measure;
    const isEvaluated = round % every === 0 || round === plan.rounds;
    const perUpdate = sentBytes * (description.client.scaffold ? 2 : 1);
    return {
      round,
      updates: sent.length,
      refused: [...this.#refused].map(([reason, times]) => ({ reason, count: times })),
      bytesDown: down + this.#asked * perUpdate,
      bytesUp: up + (sent.length + count(this.#refused)) * perUpdate,
      trainLoss: meanOf(losses),
      changeNorm,
      ...(failed !== undefined && { failed }),
      ...(privacy && {
        epsilon: Number.isFinite(privacy.epsilon) ? privacy.epsilon : null,
        clip: privacy.clip,
      }),
      ...(isEvaluated && (await evaluateRound(this.#federation, this.position))),
    };
  }
}

const keyOf = (client: string, hash: string): string => `${client} ${hash}`;

function sentOf(sent: ReadonlyMap<string, SentUpdate>, client: string, hash: string) {
  const update = sent.get(keyOf(client, hash));
  return at(update === undefined || update.refused !== undefined ? [] : [update], 0, "update");
}

const count = (refused: ReadonlyMap<string, number>): number => sumOf([...refused.values()]);
