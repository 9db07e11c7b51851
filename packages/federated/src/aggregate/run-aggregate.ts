import { at, type Checkpoint, entry, type TensorInfo } from "@isthmus/core";
import { type AggregatedPair, aggregatePair, stateTensorsOf, tensorsOf } from "../adapters/aggregate-pair.ts";
import { type FactorPair, namesOfFactors } from "../adapters/factor-pairs.ts";
import { assertFiniteRange, assertFiniteState, assertStorable } from "./assert-finite-range.ts";
import { CARRIED, stateName, stateOf } from "./carried-state.ts";
import { arraysHeld, averageRange, combineRange } from "./combine-range.ts";
import { type AggregatePlan, namesOutsidePairs } from "./plan-aggregate.ts";
import { BLOCK, countElements, cutRanges, readFloat64Range, type TensorRange } from "./ranges.ts";

/**
 * Receiver of the finished ranges of the result: ranges of the network's tensors, and ranges of states under
 * the names of the states.
 */
export interface AggregateSink {
  /** Takes a finished range of a tensor of the network, in f64. */
  writeNetwork(range: TensorRange, values: Float64Array): void | Promise<void>;
  /** Takes a finished range of a state, in f64; the name in the range is the name of the state. */
  writeState(range: TensorRange, values: Float64Array): void | Promise<void>;
}

/** Returns the names of the states that a plan keeps from round to round. */
function keptStates({ options }: AggregatePlan): readonly string[] {
  const { of: rule } = options.rule;
  const carried = rule.kind === "linear" && rule.carries === true ? [CARRIED] : [];
  return [...options.server.of.states, ...carried];
}

/** Returns the tensors of the state that a plan leaves for the next round. */
export function stateTensors(plan: AggregatePlan): ReadonlyMap<string, TensorInfo> {
  const tensors = new Map<string, TensorInfo>();
  for (const state of keptStates(plan)) {
    for (const [name, treatment] of plan.treatments) {
      const { shape } = entry(plan.network.tensors, name, "tensor");
      if (treatment === "share") tensors.set(stateName(state, name), { dtype: "f32", shape });
    }
  }
  return tensors;
}

/** Norms of a round over the shared tensors. */
export interface AggregateNorms {
  /** Norm of the change that the rule made of the updates, before the server's optimiser. */
  readonly changeNorm: number;
  /** Norm of the network's change, after the server's optimiser. */
  readonly stepNorm: number;
  /**
   * Norm of the part of the products of adapters for which the rank of the network has no room, so that it is
   * lost; missing for networks without adapters.
   */
  readonly lostNorm?: number;
}

/**
 * Computes the network after a round range by range, with the memory that the options allow; of adapters, the
 * factors of one change after the other.
 * @returns norms of the aggregated change and of the network's change, over the shared tensors and the
 *   products of adapters
 * @throws InputError if the result is not finite because a client sent numbers that are not; the error names
 * the client
 * @throws DivergenceError if all clients sent finite numbers, but the result or a state is not finite
 */
export async function runAggregate(plan: AggregatePlan, sink: AggregateSink): Promise<AggregateNorms> {
  const { network, treatments, options } = plan;
  const names = namesOutsidePairs(treatments, plan.pairs);
  const elements = countElements(network, [...names, ...namesOfFactors(plan.pairs)]);
  const states = new Map(keptStates(plan).map((state) => [state, stateOf(network, options.state, state)]));
  const arrays = arraysHeld(plan, plan.combination);
  let [done, changed, stepped] = [0, 0, 0];
  for (const range of cutRanges(network, names, { memory: options.memory, arrays })) {
    options.signal?.throwIfAborted();
    // Block by block, so that sums do not depend on how large ranges are.
    for (const { change, step } of await aggregateRange(plan, range, { states, sink })) {
      changed += change;
      stepped += step;
    }
    done += range.end - range.begin;
    options.onProgress?.({ phase: "aggregate", done: done / elements });
  }
  if (plan.pairs.length === 0) return { changeNorm: Math.sqrt(changed), stepNorm: Math.sqrt(stepped) };
  let lost = 0;
  for (const pair of plan.pairs) {
    options.signal?.throwIfAborted();
    const aggregated = await aggregatePair(plan, pair);
    await writePair(plan, { pair, aggregated }, sink);
    changed += aggregated.change;
    stepped += aggregated.step;
    lost += aggregated.lost;
    done += countElements(network, [pair.a, pair.b]);
    options.onProgress?.({ phase: "aggregate", done: done / elements });
  }
  return { changeNorm: Math.sqrt(changed), stepNorm: Math.sqrt(stepped), lostNorm: Math.sqrt(lost) };
}

/** Writes the factors of a pair and of its states. */
async function writePair(
  { network, options: { round } }: AggregatePlan,
  { pair, aggregated }: { readonly pair: FactorPair; readonly aggregated: AggregatedPair },
  sink: AggregateSink,
): Promise<void> {
  for (const [name, values] of tensorsOf(pair, aggregated.factors)) {
    assertStorable(`aggregate "${name}"`, {
      values,
      dtype: entry(network.tensors, name, "tensor").dtype,
      round,
    });
    await sink.writeNetwork({ name, begin: 0, end: values.length }, values);
  }
  for (const [name, values] of stateTensorsOf(pair, aggregated.states)) {
    assertFiniteState(name, values, round);
    await sink.writeState({ name, begin: 0, end: values.length }, values);
  }
}

interface RangeWork {
  readonly states: ReadonlyMap<string, Checkpoint>;
  readonly sink: AggregateSink;
}

/** Squared norms of a block. */
interface BlockSquares {
  /** Squared norm of the aggregated change. */
  readonly change: number;
  /** Squared norm of the network's change. */
  readonly step: number;
}

/** Computes and writes one range, and returns the squared norms of each block that the rule decided on. */
async function aggregateRange(
  plan: AggregatePlan,
  range: TensorRange,
  { states, sink }: RangeWork,
): Promise<readonly BlockSquares[]> {
  const { network, updates } = plan;
  const origin = { network, updates, round: plan.options.round };
  const global = await readFloat64Range(network, range);
  if (plan.treatments.get(range.name) === "average") {
    const change = await averageRange(plan, range, global);
    for (let i = 0; i < global.length; i++) global[i] = (global[i] as number) + (change[i] as number);
    await assertFiniteRange(origin, range, global);
    await sink.writeNetwork(range, global);
    return [];
  }
  const { options, combination, serverParameters } = plan;
  const carried = states.get(CARRIED);
  const change = await combineRange(plan, combination, range, { global, carried });
  options.noise?.(range.name, range.begin, change);
  const before = await Promise.all(
    options.server.of.states.map(async (state) => {
      const stored = entry(states, state, "state");
      return [state, await readFloat64Range(stored, range)] as const;
    }),
  );
  const block = { round: options.round, change, states: Object.fromEntries(before), values: global };
  // Norms are taken before the step, which may use the change as scratch memory.
  const squares = squaresOf(change);
  const start = global.slice();
  const written = carried === undefined ? [...before] : [...before, [CARRIED, change.slice()] as const];
  options.server.of.stepInPlace(block, serverParameters);
  await assertFiniteRange(origin, range, global);
  await sink.writeNetwork(range, global);
  for (const [state, values] of written) {
    assertFiniteState(stateName(state, range.name), values, origin.round);
    await sink.writeState({ ...range, name: stateName(state, range.name) }, values);
  }
  for (let i = 0; i < start.length; i++) start[i] = (global[i] as number) - (start[i] as number);
  const steps = squaresOf(start);
  return squares.map((square, block) => ({ change: square, step: at(steps, block, "block") }));
}

/** Returns the squared norm of each block. */
function squaresOf(values: Float64Array): number[] {
  const squares: number[] = [];
  for (let begin = 0; begin < values.length; begin += BLOCK) {
    const end = Math.min(values.length, begin + BLOCK);
    let sum = 0;
    // An explicit loop, as a call for each element takes longer than the rest of the work on the element.
    for (let i = begin; i < end; i++) sum += (values[i] as number) ** 2;
    squares.push(sum);
  }
  return squares;
}
