import {
  type GivenParameters,
  type ParameterSpecs,
  resolveParameters,
  type TensorParameters,
} from "@isthmus/merging";
import type { Configured } from "./aggregate-options.ts";

/**
 * Resolves the parameters of a rule, a step or an optimiser, which are the same for all tensors.
 * @param attempt - purpose of the parameters, with which messages begin, such as `aggregate`
 */
export function parametersOf(
  attempt: string,
  configured: Configured<{ readonly name: string; readonly parameters: ParameterSpecs }>,
): TensorParameters<ParameterSpecs> {
  const { of, parameters = {} } = configured;
  return resolveParameters(of.name, of.parameters, parameters as GivenParameters<ParameterSpecs>, {
    tensor: "",
    networks: 1,
    attempt: `${attempt} by ${of.name}`,
  });
}
