import { at, entry, InputError } from "@isthmus/core";
import { type Matrix, multiply, type Svd, sliceColumns, svd, zerosLike } from "@isthmus/linear-algebra";
import { coreOf, type Factors, type SharedSpace, shareSpace, spreadSvd } from "@isthmus/merging";
import { areAllFinite } from "../aggregate/assert-finite-range.ts";
import { CARRIED, stateName } from "../aggregate/carried-state.ts";
import { addScaled } from "../aggregate/combine-range.ts";
import type { AggregatePlan } from "../aggregate/plan-aggregate.ts";
import { readScale } from "./adapter-scaling.ts";
import { combineCores } from "./core-changes.ts";
import type { FactorPair } from "./factor-pairs.ts";
import { factorsOf } from "./gauge.ts";
import { linearStep, type StepWeights } from "./linear-step.ts";
import { type ProductDisplacement, products, readScaled, scaled, squareOf } from "./low-rank.ts";
import { readDisplacedPair, readState } from "./read-products.ts";

/** A pair after the round. */
export interface AggregatedPair {
  /** Factors of the network, without the scale. */
  readonly factors: Factors;
  /** Factors of each state for the next round, by the state's name. */
  readonly states: ReadonlyMap<string, Factors>;
  /** Squared norm of the change of the product that the rule made. */
  readonly change: number;
  /** Squared norm of the change of the product after the server's step and the truncation. */
  readonly step: number;
  /** Squared norm of the part of the product for which the rank has no room. */
  readonly lost: number;
}

/**
 * Aggregates the change of one weight by adapters: the products of the clients' factors are combined exactly,
 * and the result is truncated to the rank of the global network. No product is ever computed in full: all of
 * them are small matrices in the space that is spanned by the factors of the network and of the clients'
 * updates, of `rank + sum of the clients' ranks` dimensions.
 *
 * Source: Wang et al., FLoRA: federated fine-tuning large language models with heterogeneous low-rank
 * adaptations, 2024, section 3.2. FLoRA stacks factors, too, but sends the stack of rank `sum of ranks` to
 * all clients, which add it to their frozen weights and begin anew. Here displacements are stacked, the
 * result has a fixed rank, and training goes on from it.
 * @throws InputError if numbers of a client that counts are not finite
 */
export async function aggregatePair(plan: AggregatePlan, pair: FactorPair): Promise<AggregatedPair> {
  const { network, options, combination, serverParameters } = plan;
  const global = { network, scaleOf: options.scaleOf };
  const [start, scale] = [await readScaled(global, pair), await readScale(global, pair)];
  const { clients, bases } = await readClients(plan, pair);
  const { states, carried } = await readStates(plan, pair);
  const earlier = [...states.values(), ...(carried === undefined ? [] : [carried])];
  const spanning = [...bases, ...clients.map(({ differences }) => differences), ...earlier];
  const shared = await shareSpace([start, ...spanning], products);
  const cores = clients.map(({ change }) => inSpace(shared, change));
  const { space, core: change } = combineCores(shared, cores, combinationOfCounting(plan));
  if (combination.kind === "linear" && carried !== undefined && combination.carried !== 0) {
    addScaled((await coreOf(space, carried, products)).data, combination.carried, change.data);
  }
  const before = await coreOf(space, start, products);
  const kinds = new Map<string, Matrix>();
  for (const [name, factors] of states) kinds.set(name, await coreOf(space, factors, products));
  const combined = ({ values, change: ofChange, states: ofStates }: StepWeights): Matrix => {
    const core = zerosLike(change, change.rows, change.columns);
    addScaled(before.data, values, core.data);
    addScaled(change.data, ofChange, core.data);
    for (const [name, of] of kinds) addScaled(of.data, entry(ofStates, name, "state"), core.data);
    return core;
  };
  const step = linearStep(options.server.of, serverParameters, options.round);
  const after = combined(step.values);
  const left = new Map<string, Matrix>();
  for (const [name, weights] of step.states) left.set(name, combined(weights));
  if (carried !== undefined) left.set(CARRIED, change);
  const size = { rank: pair.rank, products };
  const written = new Map<string, Factors>();
  for (const [name, core] of left) {
    written.set(name, factorsOf(await spreadSvd(space, svd(core), size), pair.rank));
  }
  const inner = svd(after);
  const unscaled = { left: scaled(start.left, 1 / scale), right: start.right };
  return {
    factors: factorsOf(await spreadSvd(space, inner, size), pair.rank, { scale, before: unscaled }),
    states: written,
    change: squareOf(change.data),
    step: squareOfStep(inner, before, pair.rank),
    lost: squareOf(inner.values.subarray(pair.rank)),
  };
}

/** Returns factors in a shared space, `[l, rank]` and `[rank, r]`. */
function inSpace(space: SharedSpace, { left, right }: Factors): Factors {
  return {
    left: multiply(space.left, left, { transposeLeft: true }),
    right: multiply(right, space.right),
  };
}

/** Reads the displacements of the clients that count, and factors of other networks that they began with. */
async function readClients(
  { network, updates, combination, options: { scaleOf } }: AggregatePlan,
  pair: FactorPair,
) {
  const clients: ProductDisplacement[] = [];
  const bases: Factors[] = [];
  for (const [k, update] of updates.entries()) {
    if (combination.kind === "linear" && at(combination.weights, k, "weight") === 0) continue;
    const { factors, began, ...displacement } = await readDisplacedPair(network, update, { pair, scaleOf });
    assertFinite(update.client, pair, factors);
    if (update.base !== undefined) bases.push(began);
    clients.push(displacement);
  }
  return { clients, bases };
}

/** Returns the combination of the updates that count alone. */
function combinationOfCounting(plan: AggregatePlan): AggregatePlan["combination"] {
  const { combination } = plan;
  if (combination.kind === "coordinates") return combination;
  return { ...combination, weights: combination.weights.filter((weight) => weight !== 0) };
}

function assertFinite(client: string, { module }: FactorPair, { left, right }: Factors): void {
  if ([left, right].every(({ data }) => areAllFinite(Float64Array.from(data)))) return;
  throw new InputError(
    `Cannot aggregate "${module}" as numbers must be finite: "${client}" sent NaN or infinite ones; leave that update out, or choose a rule that takes whole updates, as krum does`,
    { input: client },
  );
}

/** Reads the factors of the states that the round before left; zeros in the first round. */
async function readStates({ network, options: { server, rule, state } }: AggregatePlan, pair: FactorPair) {
  const states = new Map<string, Factors>();
  for (const name of server.of.states) states.set(name, await readState(network, { state, name, pair }));
  const carries = rule.of.kind === "linear" && rule.of.carries === true;
  return { states, carried: carries ? await readState(network, { state, name: CARRIED, pair }) : undefined };
}

/** Computes the squared norm of the difference of a truncated core and the core before. */
function squareOfStep({ left, values, right }: Svd, before: Matrix, rank: number): number {
  const keep = Math.min(rank, values.length);
  const part = sliceColumns(left, 0, keep);
  for (let i = 0; i < part.data.length; i++) part.data[i] = at(part.data, i) * at(values, i % keep);
  const truncated = multiply(part, sliceColumns(right, 0, keep), { transposeRight: true });
  addScaled(before.data, -1, truncated.data);
  return squareOf(truncated.data);
}

/** Returns the tensors of a pair with the values of factors. */
export function tensorsOf(pair: FactorPair, { left, right }: Factors): ReadonlyMap<string, Float64Array> {
  return new Map([
    [pair.a, Float64Array.from(right.data)],
    [pair.b, Float64Array.from(left.data)],
  ]);
}

/** Returns the tensors of the states of a pair, by the names of the states' tensors. */
export function stateTensorsOf(
  pair: FactorPair,
  states: ReadonlyMap<string, Factors>,
): ReadonlyMap<string, Float64Array> {
  const names = [...states].flatMap(([state, factors]) =>
    [...tensorsOf(pair, factors)].map(([name, values]) => [stateName(state, name), values] as const),
  );
  return new Map(names);
}
