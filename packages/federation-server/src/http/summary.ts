import { type FederationState, isLocal, roundOf, STRATEGY_DEFAULTS } from "@isthmus/federated";
import type { Federation } from "../server/running-federation.ts";

/** Number of refused updates that the live page shows. */
const SHOWN_REFUSALS = 20;
/** Number of the last rounds that the live page shows: all of them are sent to it after every change. */
const SHOWN_ROUNDS = 1000;

/** Returns the content of the live page, as plain data without hashes of updates. */
export function summarize({ config, state, now }: Federation): object {
  const { status, history, refused, refusals, reason, stopped, open, updates, attempts } = state;
  const isPrivate = config.strategy.privacy !== undefined || config.plan.secure !== null;
  return {
    name: config.name,
    status,
    round: roundOf(state),
    rounds: config.plan.rounds,
    rule: ruleOf(config),
    secure: config.plan.secure !== null,
    reason,
    stopped,
    privacy: privacyOf(config, state),
    attempts,
    open:
      open === null
        ? null
        : {
            startedAt: open.startedAt,
            // The time is by the clock of the machine; the clock of deadlines may be ahead of it.
            until: Date.now() + open.startedAt + config.plan.deadline - now(),
            asked: open.clients.length,
            target: open.target,
            received: updates.length,
          },
    roundsFinished: history.length,
    history: history.slice(-SHOWN_ROUNDS).map((record) => ({
      round: record.round,
      seconds: (record.finishedAt - record.startedAt) / 1000,
      attempts: record.attempts,
      updates: record.updates.length,
      asked: record.clients.length,
      // In a private federation the numbers of examples of clients are not shown.
      examples: isPrivate ? null : record.updates.reduce((sum, { examples }) => sum + examples, 0),
      trainingLoss: meanLoss(record.updates),
      metrics: record.metrics,
      warning: record.warning ?? null,
      failed: record.failed ?? null,
      epsilon: record.privacy?.epsilon ?? null,
      hash: record.hash,
    })),
    clients: clientsOf(state, isPrivate),
    refused: refused.slice(-SHOWN_REFUSALS).reverse(),
    refusals,
  };
}

/**
 * Describes the privacy that a private federation has spent; returns `null` if the federation is not private.
 */
function privacyOf({ strategy: { privacy } }: Federation["config"], { history }: FederationState) {
  if (privacy === undefined) return null;
  const last = history.at(-1)?.privacy;
  return {
    epsilon: last === undefined ? 0 : last.epsilon,
    delta: privacy.delta,
    budget: privacy.budget ?? null,
    at: privacy.at ?? "server",
    clip: last?.next.clip ?? privacy.clip,
  };
}

function ruleOf({ strategy }: Federation["config"]): string {
  const { rule, privacy } = { ...STRATEGY_DEFAULTS, ...strategy };
  if (privacy !== undefined && !isLocal(privacy)) return "private mean";
  return typeof rule === "string" ? rule : rule.name;
}

function meanLoss(updates: FederationState["updates"]): number | null {
  const told = updates.filter(({ loss }) => loss !== undefined);
  const examples = told.reduce((sum, update) => sum + update.examples, 0);
  if (examples === 0) return null;
  return told.reduce((sum, update) => sum + update.examples * (update.loss as number), 0) / examples;
}

function clientsOf({ members, updates, open, history, refused }: FederationState, isPrivate: boolean) {
  const last = new Map(history.flatMap((record) => record.updates).map((update) => [update.client, update]));
  const now = new Map(updates.map((update) => [update.client, update]));
  const counts = new Map<string, number>();
  const useful = history.filter(({ failed }) => failed === undefined);
  for (const { client } of useful.flatMap((record) => record.updates))
    counts.set(client, (counts.get(client) ?? 0) + 1);
  return Object.entries(members)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { present, sent }]) => {
      const update = now.get(name) ?? last.get(name);
      return {
        name,
        present,
        state: now.has(name) ? "sent" : open?.clients.includes(name) === true ? "working" : "waiting",
        sent,
        rounds: counts.get(name) ?? 0,
        examples: isPrivate ? null : (update?.examples ?? null),
        loss: update?.loss ?? null,
        refused: refused.filter(({ client }) => client === name).length,
      };
    });
}
