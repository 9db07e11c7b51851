import { hessianVectorProduct } from "@isthmus/autodiff";
import { type Checkpoint, entry, OutOfRangeError, resolveOptions, UnsupportedError } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { norm } from "../vectors.ts";
import { addTensorsInPlace, splitVector } from "./layout.ts";
import {
  type ExactCurvature,
  exactOperator,
  type MeasuredLoss,
  type OpenedLoss,
  openExactOperator,
  openLoss,
} from "./open-operator.ts";
import {
  type CurvatureOperator,
  HESSIAN_DEFAULTS,
  HESSIAN_DERIVATIVES,
  type HessianOptions,
} from "./operator-options.ts";

const ATTEMPT = "compute a Hessian";

/** Distances of the network to the places of finite differences, by the precision of the parameters. */
const [STEP_F64, STEP_F32] = [1e-5, 1e-3];

const HESSIAN: ExactCurvature = {
  kind: "hessian",
  attempt: ATTEMPT,
  derive: ({ graph, loss }, names) => hessianVectorProduct(graph, { loss, withRespectTo: names }),
  factor: () => 1,
};

/**
 * Creates the Hessian of the mean loss of a network in inference mode by its parameters. Its products are
 * exact if every operator has second derivatives, else central differences of gradients; `derivatives` of the
 * result says which. Release it once it is not needed any more.
 * @throws MismatchError if the checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph or the loss
 * @throws OutOfRangeError if an option is out of range
 * @throws UnsupportedError if an operator has no gradient rule, or has no second derivatives although
 *   products must be exact
 */
export async function hessian(
  { graph, engine }: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: HessianOptions = {},
): Promise<CurvatureOperator> {
  const resolved = resolveOptions(ATTEMPT, HESSIAN_DEFAULTS, options);
  const { derivatives, step } = resolved;
  if (!HESSIAN_DERIVATIVES.includes(derivatives)) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "derivatives" must be one of ${HESSIAN_DERIVATIVES.join(", ")}: it is ${derivatives}`,
    );
  }
  if (!(step >= 0))
    throw new OutOfRangeError(`Cannot ${ATTEMPT} as "step" must be at least 0: it is ${step}`);
  const measured = { graph, engine, network, data };
  if (derivatives === "finite-differences") return differenceOperator(measured, resolved);
  try {
    return await openExactOperator(HESSIAN, measured, resolved);
  } catch (error) {
    if (derivatives === "exact" || !(error instanceof UnsupportedError)) throw error;
    return { ...(await differenceOperator(measured, resolved)), reason: error.message };
  }
}

async function differenceOperator(
  measured: MeasuredLoss,
  options: Required<HessianOptions>,
): Promise<CurvatureOperator> {
  const opened = await openLoss(ATTEMPT, measured, options, undefined);
  const isDouble = opened.layout.every(({ name }) => opened.weights.get(name)?.dtype === "f64");
  const step = options.step > 0 ? options.step : isDouble ? STEP_F64 : STEP_F32;
  return {
    ...exactOperator("hessian", opened),
    derivatives: "finite-differences",
    step,
    apply: (vector, out) => differentiateInto(opened, step, { vector, out }),
  };
}

/** Computes a product with the Hessian from gradients a step to both sides of the network. */
async function differentiateInto(
  { layout, dimension, weights, gradientAt }: OpenedLoss,
  step: number,
  { vector, out }: { readonly vector: Float64Array; readonly out: Float64Array },
): Promise<void> {
  const length = norm(vector);
  if (length === 0) {
    out.fill(0);
    return;
  }
  const at = async (way: number, gradient: Float64Array): Promise<void> => {
    const place = vector.map((x) => (way / length) * x);
    const tensors = layout.map(({ name }) => entry(weights, name, "weight"));
    addTensorsInPlace(place, layout, [{ factor: 1, tensors }]);
    await gradientAt(new Map([...weights, ...splitVector(layout, place, weights)]), gradient);
  };
  const behind = new Float64Array(dimension);
  await at(-step, behind);
  await at(step, out);
  const factor = length / (2 * step);
  for (let i = 0; i < dimension; i++) out[i] = factor * ((out[i] as number) - (behind[i] as number));
}
