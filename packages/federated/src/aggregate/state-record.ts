import { MismatchError, parseJson } from "@isthmus/core";
import type { AggregateOptions } from "./aggregate-options.ts";

/** Name of the metadata of a state that say what it belongs to. */
const RECORD = "isthmus.federated";

type StateOwner = Pick<Required<AggregateOptions>, "rule" | "server" | "round" | "state">;

/** Describes what the state after a round belongs to, so that no other rule or round takes it for its own. */
export function stateMetadata({ rule, server, round }: StateOwner): Readonly<Record<string, string>> {
  return { [RECORD]: JSON.stringify({ rule: rule.of.name, server: server.of.name, round }) };
}

/**
 * Checks that a state is what the round before left, for the same rule and optimiser; a state that does not
 * say where it is from is taken as it is.
 * @throws MismatchError if it belongs to another round, rule or optimiser
 */
export function assertState({ rule, server, round, state }: StateOwner): void {
  const text = state?.metadata[RECORD];
  if (state === undefined || text === undefined) return;
  const left = parseJson(text, { attempt: `go on from "${state.source}"` }) as Record<string, unknown>;
  const needed = { rule: rule.of.name, server: server.of.name, round: round - 1 };
  const differing = Object.entries(needed).filter(([key, value]) => left[key] !== value);
  if (differing.length === 0) return;
  const differences = differing.map(([key, value]) => `its ${key} is ${left[key]}, not ${value}`);
  throw new MismatchError(
    `Cannot go on from "${state.source}" in round ${round} as a state must be what the round before left: ${differences.join(", ")}; begin without a state, or name the one of round ${round - 1}`,
    { parameters: [] },
  );
}
