import { at, entry, UnsupportedError } from "@isthmus/core";
import type { ParameterSpecs, TensorParameters } from "@isthmus/merging";
import type { ServerStep } from "../server-step/server-step.ts";

/** Weights by which a step of the server's optimiser makes a matrix of others. */
export interface StepWeights {
  /** Weight of the network before. */
  readonly values: number;
  /** Weight of the aggregated change. */
  readonly change: number;
  /** Weights of the states before, by name. */
  readonly states: ReadonlyMap<string, number>;
}

/** A step of the server's optimiser on whole matrices. */
export interface LinearStep {
  /** Weights that make the network after the step. */
  readonly values: StepWeights;
  /** Weights that make each state after the step, by name. */
  readonly states: ReadonlyMap<string, StepWeights>;
}

/**
 * Finds the weights of a linear optimiser, by a step on unit vectors: so it also applies to products that are
 * only known by their factors.
 * @throws UnsupportedError if the optimiser treats elements by themselves, which needs the products in full
 */
export function linearStep(
  step: ServerStep,
  parameters: TensorParameters<ParameterSpecs>,
  round: number,
): LinearStep {
  if (step.isLinear !== true) {
    throw new UnsupportedError(
      `Cannot step adapters by the optimiser "${step.name}" as it divides each element of the change by a number of its own, for which the products of factors would be needed in full: choose "average" or "momentum", or keep one factor of each adapter with the clients`,
      { feature: step.name },
    );
  }
  const inputs = ["values", "change", ...step.states];
  const unit = (of: string) => Float64Array.from(inputs, (name) => Number(name === of));
  const states = Object.fromEntries(step.states.map((name) => [name, unit(name)]));
  const values = unit("values");
  step.stepInPlace({ round, change: unit("change"), states, values }, parameters);
  const weightsIn = (row: Float64Array): StepWeights => {
    const weights = new Map(inputs.map((name, i) => [name, at(row, i)]));
    return {
      values: entry(weights, "values", "input"),
      change: entry(weights, "change", "input"),
      states: new Map(step.states.map((name) => [name, entry(weights, name, "state")])),
    };
  };
  return {
    values: weightsIn(values),
    states: new Map(Object.entries(states).map(([name, row]) => [name, weightsIn(row)])),
  };
}
