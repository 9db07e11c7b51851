import { at, entry, type TensorInfo } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { cast, mul, type Value } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { clipGradients } from "../optimizer/clip-gradients.ts";
import type { InPlaceParameter, InPlaceUpdate } from "../optimizer/in-place-rule.ts";
import type { ResolvedOptimizer } from "../optimizer/optimizers.ts";
import { sharpnessAwareGradients } from "../optimizer/sharpness-aware.ts";
import type { StepScalars } from "../optimizer/step-scalars.ts";
import { fitsInPlace } from "../train/create-in-place-updater.ts";
import type { StepTarget } from "./step-target.ts";
import type { CarriedRole } from "./training-step.ts";

/** A graph with gradients, and the weights that they update. */
interface Updated {
  readonly graph: Graph;
  readonly loss: string;
  readonly parameters: readonly Value[];
  readonly trained: StepTarget["trained"];
}

/** How the parameters of a step change. */
interface StepUpdate {
  /** Parameters and the optimiser's state; those without an output are updated in place. */
  readonly updates: readonly CarriedValue[];
  /** Update in place; missing if the graph updates parameters. */
  readonly inPlace?: InPlaceUpdate;
  /** Norm of gradients before clipping; missing if they are not clipped. */
  readonly norm?: Value;
}

/**
 * Adds the update of every trained parameter to the graph; if `isInPlace` is set and a kernel can do it, only
 * the gradients are added, and the update is described.
 */
export function updatesOf(
  optimizer: ResolvedOptimizer,
  scalars: StepScalars,
  { graph, loss, parameters, trained }: Updated,
  isInPlace: boolean,
): StepUpdate {
  const { gradients, norm } = updateGradients(optimizer, graph, { loss, parameters });
  const updated = { parameters, gradients, trained };
  const tensorsEach = 2 + optimizer.inPlace.states.length;
  return {
    ...(isInPlace && fitsInPlace(parameters, tensorsEach)
      ? updateInPlace(optimizer, updated)
      : { updates: updateParameters(optimizer, scalars, updated) }),
    ...(norm && { norm }),
  };
}

function updateInPlace(
  { inPlace: rule, decayOf }: ResolvedOptimizer,
  { parameters, gradients, trained }: UpdatedParameters,
): StepUpdate {
  const described = parameters.map(({ name, shape }, i): InPlaceParameter => {
    return {
      input: name,
      gradient: at(gradients, i, "gradient").name,
      states: rule.states.map((kind) => stateName(kind, name)),
      decay: decayOf({ name: entry(trained, name, "trained weight").name, shape }),
    };
  });
  const updates = parameters.flatMap((parameter, i): CarriedValue[] => [
    { input: parameter, role: "parameter" },
    ...at(described, i, "parameter").states.map((name): CarriedValue => {
      return { input: { name, dtype: parameter.dtype, shape: parameter.shape }, role: "state" };
    }),
  ]);
  return { updates, inPlace: { rule, parameters: described } };
}

/** Returns the name of the tensor that holds a kind of state of a parameter. */
const stateName = (kind: string, parameter: string): string => `${kind}(${parameter})`;

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

/** A carried tensor of the step under construction. */
export interface CarriedValue {
  /** The tensor before the step, by its name. */
  readonly input: TensorInfo & { readonly name: string };
  /** Value that holds the tensor after the step; missing if it is updated in place. */
  readonly output?: Value;
  /** Role of the tensor: a parameter, a running statistic, or state of the optimiser. */
  readonly role: CarriedRole;
}

/** Returns whether a carried value is a trained parameter. */
export const isParameter = ({ role }: CarriedValue): boolean => role === "parameter";

/** Parameters, and what decides how they change. */
interface UpdatedParameters {
  readonly parameters: readonly Value[];
  /** Gradients that the update uses, in the order of the parameters. */
  readonly gradients: readonly Value[];
  readonly trained: StepTarget["trained"];
}

/** Adds the update of every trained parameter, and returns the parameters and the optimiser's state. */
export function updateParameters(
  { update, decayOf }: Pick<ResolvedOptimizer, "update" | "decayOf">,
  scalars: StepScalars,
  { parameters, gradients, trained }: UpdatedParameters,
): (CarriedValue & { readonly output: Value })[] {
  return parameters.flatMap((parameter, i) => {
    const { builder, name, dtype, shape } = parameter;
    const states = new Map<string, Value>();
    const state = (kind: string): Value => {
      const value = states.get(kind) ?? builder.weight(stateName(kind, name), { dtype, shape }, "statistic");
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
      ...Object.entries(next.state).map(([kind, output]) => {
        return { input: state(kind), output, role: "state" as const };
      }),
    ];
  });
}
