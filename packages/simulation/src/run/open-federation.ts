import { byteLengthOf, type Checkpoint, createRandom, DTYPES, entry, InputError } from "@isthmus/core";
import {
  type FederationPlan,
  type LookedUp,
  lookUp,
  planFederation,
  resolveStrategy,
  resolveTreatments,
  type StrategyOptions,
  type Treatment,
} from "@isthmus/federated";
import {
  type Architecture,
  createEvaluator,
  type DataSet,
  type Engine,
  type Evaluator,
  type Graph,
  lossOf,
  scoreBy,
  shareSessions,
} from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import type { Attack } from "../attacks/attack.ts";
import { ATTACKS } from "../attacks.ts";
import type { FederationDescription } from "../description/federation-description.ts";
import { holdExamples } from "../examples/hold-examples.ts";
import { haveClasses, readLabels } from "../examples/read-labels.ts";
import { type ClientExamples, partitionExamples } from "../partition-examples.ts";
import { PARTITIONS } from "../partitions.ts";
import { assertNorms } from "./assert-norms.ts";
import { countRounds } from "./check-privacy.ts";
import { type ResolvedFederation, resolveFederation } from "./describe-defaults.ts";

/** Engine and data source of a simulation. */
export interface SimulationPorts {
  /** Engine on which networks are trained and evaluated; sessions of equal graphs are shared. */
  readonly engine: Engine;
  /** Opens examples by name. */
  openData(name: string): Promise<DataSet>;
}

/** A client of an open federation. */
export interface OpenClient extends ClientExamples {
  /** Whether the client is one of the attackers, which are drawn by the seed. */
  readonly attacker: boolean;
  /** Examples of the client in the form in which it trains on them, shifted and relabelled. */
  readonly data: DataSet;
}

/** An attack, its parameters, and the number of attackers. */
export interface OpenAttack extends LookedUp<Attack> {
  /** Number of attackers, at least 1. */
  readonly attackers: number;
}

/** Examples to evaluate on, and the evaluator of networks. */
interface OpenEvaluation {
  readonly data: DataSet;
  /** Class of each of the examples; missing if they have no classes, or the loss has no errors. */
  readonly labels?: Int32Array;
  /** Whether the loss distinguishes right and wrong predictions. */
  readonly hasErrors: boolean;
  readonly evaluator: Evaluator;
}

/**
 * A federation that is ready to simulate: its examples are divided, and all names are looked up and checked.
 */
export interface OpenFederation {
  /** Description of the federation with all defaults filled in. */
  readonly description: ResolvedFederation;
  /** Rules of the server's state machine: rounds, quorum, deadline and choice of clients. */
  readonly plan: FederationPlan;
  /** Graph of the network, which ends in the federation's loss. */
  readonly graph: Graph;
  /** Engine of the simulation, which shares sessions of equal graphs until the federation is closed. */
  readonly engine: Engine;
  /** Returns the initial network of a seed. */
  initialize(seed: number): Checkpoint;
  /** Clients by name, in the order of names. */
  readonly clients: ReadonlyMap<string, OpenClient>;
  /** Attack with its parameters; undefined if all clients are honest. */
  readonly attack: OpenAttack | undefined;
  /** Options of the aggregation that follow from the strategy. */
  readonly aggregate: StrategyOptions;
  /** Treatment of each tensor. */
  readonly treatments: ReadonlyMap<string, Treatment>;
  /** Names of the floating-point tensors that every client keeps for itself. */
  readonly personal: readonly string[];
  /** Number of bytes of the tensors that are sent. */
  readonly sentBytes: number;
  /** Examples to evaluate on, and the evaluator that measures networks on them. */
  readonly evaluation: OpenEvaluation;
  /** Frees the sessions of the evaluator and of the engine. */
  close(): Promise<void>;
}

/** Time that clients have in a simulation, in milliseconds of its own clock. */
const DEADLINE = 1_000_000;
/** Number of times that a round without a quorum is started. */
const ATTEMPTS = 3;

/**
 * Opens the examples of a federation, divides them, and looks up its strategy.
 * @throws InputError if the federation names something unknown, or its parts do not fit each other
 * @throws UsageError, OutOfRangeError if a number or parameter is wrong
 */
export async function openFederation(
  described: FederationDescription,
  ports: SimulationPorts,
): Promise<OpenFederation> {
  const description = resolveFederation(described);
  const { strategy, seed } = description;
  const isPrivate = strategy.privacy !== undefined;
  const data = await ports.openData(description.data);
  const evaluationData = await ports.openData(description.evaluate);
  const { graph: unscored, initialize } = parseNetwork(description.net, data);
  const graph = scoreBy(unscored, description.loss);
  const engine = shareSessions(ports.engine);
  const attack = description.attack && lookUpAttack(description.attack);
  const first = initialize(seed);
  if (description.measure.norms) assertNorms(graph, first, description.net);
  const aggregate = resolveStrategy(graph, first, strategy);
  const treatments = resolveTreatments(first, aggregate.treatments);
  const personal = [...first.tensors].flatMap(([name, { dtype }]) =>
    DTYPES[dtype].float && treatments.get(name) === "keep" ? [name] : [],
  );
  const evaluation = await openEvaluation({ graph, engine }, evaluationData);
  return {
    description,
    graph,
    engine,
    initialize,
    attack,
    treatments,
    personal,
    sentBytes: [...first.tensors].reduce(
      (sum, [name, { dtype, shape }]) =>
        personal.includes(name) ? sum : sum + byteLengthOf({ dtype, shape }),
      0,
    ),
    plan: planFederation({
      rounds: countRounds(description),
      fraction: description.fraction,
      seed,
      failures: description.failures,
      // A round that is started again until enough clients answer has other clients than the account of
      // privacy assumes.
      quorum: leastUpdates(description),
      sampling: description.sampling,
      deadline: DEADLINE,
      attempts: isPrivate ? 1 : ATTEMPTS,
    }),
    clients: openClients(data, description, attack),
    aggregate,
    evaluation,
    async close() {
      await evaluation.evaluator.release();
      await engine.close();
    },
  };
}

async function openEvaluation(architecture: Architecture, data: DataSet): Promise<OpenEvaluation> {
  const { hasError: hasErrors } = lossOf(architecture.graph, data, "simulate a federation");
  const labels = hasErrors && haveClasses(data) ? readLabels(data) : undefined;
  const evaluator = await createEvaluator(architecture, data, { threads: 1 });
  return { data, hasErrors, evaluator, ...(labels && { labels }) };
}

/** Returns the smallest number of updates that a round is aggregated with. */
function leastUpdates({ sampling, strategy, clients }: ResolvedFederation): number {
  if (sampling === "poisson") return 0;
  return strategy.privacy === undefined ? Math.min(2, clients) : 1;
}

function lookUpAttack({ attackers, ...described }: NonNullable<FederationDescription["attack"]>): OpenAttack {
  return { ...lookUp("attack", ATTACKS, described as { readonly name: string }), attackers };
}

function openClients(
  data: DataSet,
  { partition, clients: count, seed }: ResolvedFederation,
  attack: OpenAttack | undefined,
): ReadonlyMap<string, OpenClient> {
  const { of: scheme, parameters } = lookUp("partition", PARTITIONS, partition);
  if (attack?.of.kind === "data" && !haveClasses(data)) {
    throw new InputError(
      `Cannot attack by ${attack.of.name} on "${data.name}" as each example must have a class, which is changed; choose another attack`,
      { input: data.name },
    );
  }
  const parts = partitionExamples(data, { scheme, parameters, clients: count, seed });
  const order = createRandom(seed, "attackers").shuffleInPlace(Array.from(parts.keys()));
  const attackers = new Set(attack === undefined ? [] : order.slice(0, attack.attackers));
  return new Map(
    parts.map((part, i) => {
      const attacker = attackers.has(i);
      const relabels = attacker && attack?.of.kind === "data";
      return [
        part.client,
        {
          ...part,
          attacker,
          data: holdExamples(data, {
            name: `${data.name} of ${part.client}`,
            positions: part.positions,
            shift: part.shift,
            seed,
            ...(relabels && { relabel: relabelOf(attack, data.classes) }),
          }),
        },
      ];
    }),
  );
}

function relabelOf({ of, parameters }: LookedUp<Attack>, classes: number): (label: number) => number {
  return (label) => (of.kind === "data" ? of.relabel(label, classes, parameters as never) : label);
}

/** Returns a client by its name. */
export const clientOf = ({ clients }: Pick<OpenFederation, "clients">, name: string): OpenClient =>
  entry(clients, name, "client");
