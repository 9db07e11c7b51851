import { at, entry } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { cast, mul, type Value } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { clipGradients } from "../optimizer/clip-gradients.ts";
import type { ResolvedOptimizer } from "../optimizer/optimizers.ts";
import { sharpnessAwareGradients } from "../optimizer/sharpness-aware.ts";
import type { StepScalars } from "../optimizer/step-scalars.ts";
import type { StepTarget } from "./step-target.ts";
import type { CarriedRole } from "./training-step.ts";

/** A graph with gradients, and the weights that they update. */
interface Updated {
  readonly graph: Graph;
  readonly loss: string;
  readonly parameters: readonly Value[];
  readonly trained: StepTarget["trained"];
}

/**
 * Adds the update of every trained parameter; returns the parameters and the optimiser's state, and the norm
 * of gradients before clipping if they are clipped.
 */
export function updatesOf(
  optimizer: ResolvedOptimizer,
  scalars: StepScalars,
  { graph, loss, parameters, trained }: Updated,
): { readonly updates: readonly CarriedValue[]; readonly norm?: Value } {
  const { gradients, norm } = updateGradients(optimizer, graph, { loss, parameters });
  const updates = updateParameters(optimizer, scalars, { parameters, gradients, trained });
  return { updates, ...(norm && { norm }) };
}

/** Returns the gradients that the update uses, and their norm before clipping if they are clipped. */
function updateGradients(
  { rho, clipNorm }: ResolvedOptimizer,
  differentiated: Graph,
  { loss, parameters }: { readonly loss: string; readonly parameters: readonly Value[] },
): { readonly gradients: readonly Value[]; readonly norm?: Value } {
  const plain = parameters.map(({ name, builder }) => builder.value(gradientName(loss, name)));
  const gradients =
    rho === null
      ? plain
      : sharpnessAwareGradients(differentiated, { loss, rho }, { parameters, gradients: plain });
  return clipNorm === null ? { gradients } : clipGradients(gradients, clipNorm);
}

/** A carried tensor, as values of the step under construction. */
export interface CarriedValue {
  /** Value that holds the tensor before the step. */
  readonly input: Value;
  /** Value that holds the tensor after the step. */
  readonly output: Value;
  /** Role of the tensor: a parameter, a running statistic, or state of the optimiser. */
  readonly role: CarriedRole;
}

/** Returns whether a carried value is a trained parameter. */
export const isParameter = ({ role }: CarriedValue): boolean => role === "parameter";

/** Adds the update of every trained parameter, and returns the parameters and the optimiser's state. */
export function updateParameters(
  { update, decayOf }: Pick<ResolvedOptimizer, "update" | "decayOf">,
  scalars: StepScalars,
  {
    parameters,
    gradients,
    trained,
  }: {
    readonly parameters: readonly Value[];
    readonly gradients: readonly Value[];
    readonly trained: StepTarget["trained"];
  },
): CarriedValue[] {
  return parameters.flatMap((parameter, i) => {
    const { builder, name, dtype, shape } = parameter;
    const states = new Map<string, Value>();
    const state = (kind: string): Value => {
      const value = states.get(kind) ?? builder.weight(`${kind}(${name})`, { dtype, shape }, "statistic");
      states.set(kind, value);
      return value;
    };
    const gradient = at(gradients, i, "gradient");
    const { name: networkName, share } = entry(trained, name, "trained weight");
    const decay = decayOf({ name: networkName, shape });
    const decayed =
      share === undefined ? parameter : mul(builder.value(networkName), cast(builder.value(share), dtype));
    const next = update({ parameter, gradient, decay, decayed, scalars, state });
    return [
      { input: parameter, output: next.parameter, role: "parameter" as const },
      ...Object.entries(next.state).map(([kind, output]): CarriedValue => {
        return { input: state(kind), output, role: "state" };
      }),
    ];
  });
}
