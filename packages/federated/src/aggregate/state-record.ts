import { MismatchError, parseJson } from "@isthmus/core";
import type { AggregateOptions } from "./aggregate-options.ts";

/** Key of the metadata of a state under which its rule, optimiser and round are recorded. */
const RECORD = "isthmus.federated";

type StateOwner = Pick<Required<AggregateOptions>, "rule" | "server" | "round" | "state">;

/**
 * Records the rule, the optimiser and the round of a state as metadata, so that the state is not used for
 * another rule or round.
 */
export function stateMetadata({ rule, server, round }: StateOwner): Readonly<Record<string, string>> {
  return { [RECORD]: JSON.stringify({ rule: rule.of.name, server: server.of.name, round }) };
}

/**
 * Checks that a state is from the round before, with the same rule and optimiser. A state without a record is
 * accepted unchecked.
 * @throws MismatchError if the state belongs to another round, rule or optimiser
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
