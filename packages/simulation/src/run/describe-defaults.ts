import { assertWholeOptions, OutOfRangeError } from "@isthmus/core";
import { FEDERATION_PLAN_DEFAULTS } from "@isthmus/federated";
import type {
  AttackDescription,
  ClientTraining,
  FederationDescription,
  MeasureDescription,
} from "../description/federation-description.ts";

/** A federation with all defaults filled in. */
export interface ResolvedFederation
  extends Required<Omit<FederationDescription, "attack" | "client" | "measure" | "loss">>,
    Pick<FederationDescription, "loss"> {
  /** Attack with the number of attackers; undefined if all clients are honest. */
  readonly attack: AttackDescription | undefined;
  /** Measurements with the number of rounds between evaluations filled in. */
  readonly measure: MeasureDescription & Required<Pick<MeasureDescription, "every">>;
  /** Training of clients, with the strategy's own choices included. */
  readonly client: ResolvedClientTraining;
}

/** Training of clients, with the defaults of the fields that always have a value. */
export type ResolvedClientTraining = ClientTraining &
  Required<Pick<ClientTraining, "epochs" | "batch" | "optimizer" | "schedule" | "scaffold">>;

/** Defaults of {@link ClientTraining}. */
const CLIENT_TRAINING_DEFAULTS: Required<
  Pick<ClientTraining, "epochs" | "batch" | "optimizer" | "schedule" | "scaffold">
> = {
  epochs: 1,
  batch: 32,
  optimizer: { kind: "sgd", momentum: 0 },
  schedule: { kind: "constant", learningRate: 0.1 },
  scaffold: false,
};

/**
 * Fills in the defaults of a federation and checks its numbers.
 * @throws OutOfRangeError if a number is out of its range
 */
export function resolveFederation(description: FederationDescription): ResolvedFederation {
  const attempt = "simulate a federation";
  const { clients, rounds, seed, fraction = 1, lost = 0, attack, strategy = {}, measure = {} } = description;
  const { failures = FEDERATION_PLAN_DEFAULTS.failures, sampling = "fixed-size" } = description;
  assertWholeOptions(
    attempt,
    { clients, rounds, seed, failures },
    { clients: 1, rounds: 1, seed: 0, failures: 1 },
  );
  assertShare("fraction", fraction, fraction > 0 && fraction <= 1, "(0, 1]");
  assertShare("lost", lost, lost >= 0 && lost < 1, "[0, 1)");
  const { every = 1 } = measure;
  assertWholeOptions(attempt, { every }, { every: 1 });
  if (attack !== undefined) {
    const { attackers } = attack;
    assertWholeOptions(attempt, { attackers }, { attackers: 1 });
    if (attackers >= clients) {
      throw new OutOfRangeError(
        `Cannot ${attempt} as "attackers" must be fewer than the ${clients} clients: there are ${attackers}`,
      );
    }
  }
  return {
    ...description,
    failures,
    fraction,
    sampling,
    lost,
    attack,
    strategy,
    measure: { ...measure, every },
    partition: description.partition ?? { name: "iid" },
    client: { ...CLIENT_TRAINING_DEFAULTS, ...description.client, ...strategy.client },
  };
}

function assertShare(name: string, value: number, holds: boolean, range: string): void {
  if (holds) return;
  throw new OutOfRangeError(
    `Cannot simulate a federation as "${name}" must be a share in ${range}: it is ${value}`,
  );
}
