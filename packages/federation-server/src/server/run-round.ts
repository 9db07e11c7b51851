import { rm } from "node:fs/promises";
import { InvariantError } from "@isthmus/core";
import {
  type Decision,
  type FederationState,
  type Metrics,
  type PrivacyRecord,
  type PrivacyReport,
  type ReceivedUpdate,
  SECURE_PLAN_DEFAULTS,
  type UpdateToAggregate,
} from "@isthmus/federated";
import type { FederationConfig } from "../config/federation-config.ts";
import type { AggregateRequest } from "../work/aggregate-round.ts";
import { carriedFile, damagedFolder, networkFile } from "./known-files.ts";
import type { Federation } from "./running-federation.ts";
import { privacyStateOf, type StopDecision } from "./spent-reason.ts";

/** Next step of a round, or the end of the federation as its privacy budget is spent. */
export type RoundStep = Decision | StopDecision;

/** Carries out a decision about a round, and lets the event happen that follows from it. */
export async function runRound(
  federation: Federation,
  decision: RoundStep,
  signal: AbortSignal,
): Promise<void> {
  switch (decision.kind) {
    case "open-secure":
      await openSecure(federation, decision);
      return;
    case "close-secure": {
      const { round, attempt, stage } = decision;
      await federation.happen({ kind: "secure-closed", round, attempt, stage });
      return;
    }
    case "start": {
      const { round, attempt, clients, target } = decision;
      await federation.happen({ kind: "round-started", round, attempt, clients, target });
      return;
    }
    case "ask": {
      const { round, attempt, clients } = decision;
      await federation.happen({ kind: "clients-asked", round, attempt, clients });
      return;
    }
    case "close":
      await federation.happen({ kind: "round-closed", round: decision.round });
      return;
    case "abort": {
      const { round, attempt, reason } = decision;
      await happenAborted(federation, { round, attempt, reason });
      return;
    }
    case "fail":
      await federation.happen({ kind: "failed", reason: decision.reason });
      return;
    case "stop":
      await federation.happen({ kind: "stopped", reason: decision.reason });
      return;
    case "aggregate":
      await aggregate(federation, decision, signal);
      return;
    default:
      throw new InvariantError(`Nothing is to be done about "${decision.kind}"; please report this`);
  }
}

/** Sets up the secure sum of a round. */
async function openSecure(
  { config, state, secureElements: elements, happen }: Federation,
  { round, attempt, clients, threshold }: Extract<Decision, { kind: "open-secure" }>,
): Promise<void> {
  const { range, examplesCap } = config.plan.secure ?? SECURE_PLAN_DEFAULTS;
  const session = `${config.name} ${state.initial} round ${round} attempt ${attempt}`;
  const settings = { session, clients, threshold, elements, range, examplesCap };
  await happen({ kind: "secure-opened", round, attempt, settings });
}

/** Gives up a start of a round; masked updates are removed, as the next start cannot use them. */
async function happenAborted(
  federation: Federation,
  event: { readonly round: number; readonly attempt: number; readonly reason: string },
): Promise<void> {
  const { updates } = federation.state;
  await federation.happen({ kind: "round-aborted", ...event });
  if (federation.config.plan.secure !== null) await removeUpdates(federation, updates);
}

/** Removes the files of updates that are not needed any more. */
export async function removeUpdates(
  { store, stamps }: Federation,
  updates: readonly ReceivedUpdate[],
): Promise<void> {
  for (const path of updates.map(store.update)) {
    stamps.delete(path);
    await rm(path, { force: true });
  }
}

async function aggregate(
  federation: Federation,
  { round, step, network, updates }: Extract<Decision, { kind: "aggregate" }>,
  signal: AbortSignal,
): Promise<void> {
  const { config, store, workers, state, noiseSeed } = federation;
  const request: AggregateRequest = {
    network: { path: store.model(network), hash: network },
    updates: updates.map((update) => toAggregate(federation, state, update)),
    strategy: config.strategy,
    graph: federation.graph,
    step,
    seed: config.plan.seed,
    state: await carriedFile(store, state),
    secure: state.secure?.sum ?? null,
    keep: federation.keptTensors,
    privacy: { state: privacyStateOf(state), noiseSeed: noiseSeed ?? undefined },
    output: {
      network: store.unfinished(step),
      state: store.state(step),
      models: `${store.folder}/models`,
    },
  };
  const aggregated = await workers.aggregate(request, signal);
  if (aggregated.kind === "broken") {
    await happenAborted(federation, { round, attempt: state.attempts, reason: aggregated.reason });
    return;
  }
  if (aggregated.kind === "damaged") throw damagedFolder(aggregated.reason);
  const privacy = recordOf(aggregated.privacy);
  if (aggregated.kind === "aggregated") {
    const { hash, state: carried } = aggregated;
    const measured = await measure(federation, { hash, request }, signal);
    const broken = brokenReason(measured, config);
    await federation.happen(
      broken === undefined
        ? { kind: "round-aggregated", round, hash, state: carried, ...sortMetrics(measured), ...privacy }
        : { kind: "round-failed", round, reason: broken, ...privacy },
    );
  } else {
    const advice = aggregated.kind === "failed" ? adviceOf(config) : "";
    const reason = `${aggregated.reason}${advice}`;
    await federation.happen({ kind: "round-failed", round, reason, ...privacy });
  }
  await removeUpdates(federation, updates);
}

/**
 * Says why a network cannot be the one of the next round although its numbers are finite, as its loss is not;
 * returns `undefined` if it can, or if nothing was measured.
 */
function brokenReason({ loss }: Metrics, config: FederationConfig): string | undefined {
  if (loss === undefined || Number.isFinite(loss)) return undefined;
  const isCut = config.plan.secure !== null || config.strategy.privacy !== undefined;
  const advice = isCut
    ? ""
    : '; strategy: { rule: { name: coordinate-median } }, or a number as "limits.norm", keeps out such updates';
  return `the loss of its network on the server's examples is ${loss}, so an update may have gone too far${advice}`;
}

/** Says what helps against rounds that fail; returns no words if updates are already cut or clipped. */
function adviceOf({ plan, strategy }: FederationConfig): string {
  const isCut = plan.secure !== null || strategy.privacy !== undefined;
  return isCut ? "" : '; "limits.norm" refuses long updates, and "strategy.clip" shortens them';
}

/**
 * Returns the report of a private round for the journal, with null in place of infinity, which JSON does not
 * have.
 */
function recordOf(privacy: PrivacyReport | undefined): { readonly privacy?: PrivacyRecord } {
  if (privacy === undefined) return {};
  const { epsilon } = privacy;
  return { privacy: { ...privacy, epsilon: Number.isFinite(epsilon) ? epsilon : null } };
}

/** Separates measured numbers: the finite ones, and a warning about the others, which JSON cannot hold. */
function sortMetrics(measured: Metrics): { readonly metrics: Metrics; readonly warning?: string } {
  const entries = Object.entries(measured);
  const metrics = Object.fromEntries(entries.filter(([, value]) => Number.isFinite(value)));
  const others = entries.filter(([name]) => !(name in metrics)).map(([name, value]) => `${name} is ${value}`);
  if (others.length === 0) return { metrics };
  const about = `its ${others.join(", its ")} on the server's examples`;
  return { metrics, warning: `${about}: an update may have gone too far` };
}

function toAggregate(
  { store, stamps }: Federation,
  state: FederationState,
  update: UpdateToAggregate,
): AggregateRequest["updates"][number] {
  const { client, examples, loss, staleness, round, hash } = update;
  const path = store.update(update);
  const file = { path, hash, stamp: stamps.get(path) };
  return { client, examples, loss, staleness, file, base: networkFile(store, state, round) };
}

/**
 * Measures the new network, and the barriers of layers between the first two clients, as far as the
 * federation's file asks for it.
 */
async function measure(
  { config, store, workers, keptTensors, graph }: Federation,
  { hash, request }: { readonly hash: string; readonly request: AggregateRequest },
  signal: AbortSignal,
): Promise<Metrics> {
  const { evaluate: data, layerBarriers: examples, loss } = config;
  if (data === null || graph === null) return {};
  const measured = { graph, data, ...(loss !== undefined && { loss }) };
  const evaluated = await workers.evaluate({ network: store.model(hash), ...measured }, signal);
  const [first, second] = request.updates;
  if (examples === 0 || first === undefined || second === undefined) return evaluated;
  const updates = [first.file.path, second.file.path] as const;
  const layers = { network: request.network.path, updates, keep: keptTensors, ...measured, examples };
  return { ...evaluated, ...(await workers.measureLayers(layers, signal)) };
}
