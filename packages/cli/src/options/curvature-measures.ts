import { Option } from "@commander-js/extra-typings";
import { GROUPINGS, type Grouping } from "@isthmus/barrier";
import { UsageError } from "@isthmus/core";
import {
  LEARNING_COEFFICIENT_DEFAULTS,
  MEASURE_SHARPNESS_DEFAULTS,
  type MeasureCurvatureOptions,
} from "@isthmus/curvature";
import { type AddOptions, optionGroup } from "./option-group.ts";
import { parseCount, parseNumber, parseNumbers } from "./parse-values.ts";

/** Options that say what is measured besides the spectrum. */
export type CurvatureMeasureOptions = {
  readonly by?: Grouping | undefined;
  readonly sharpness?: number | true | undefined;
  readonly criticalSharpness?: true | undefined;
  readonly learningCoefficient?: true | undefined;
  readonly draws?: number | undefined;
  readonly chains?: number | undefined;
  readonly burnIn?: number | undefined;
  readonly step?: number | undefined;
  readonly localization?: number | undefined;
  readonly settling?: readonly number[] | true | undefined;
  readonly canonical?: true | undefined;
};

const CHAIN = LEARNING_COEFFICIENT_DEFAULTS;

/** Adds the options that say what is measured besides the spectrum. */
export const addCurvatureMeasures: AddOptions<CurvatureMeasureOptions> = optionGroup((command) => {
  command
    .addOption(
      new Option("--by <grouping>", "the largest eigenvalue and the trace of every layer, or block").choices(
        GROUPINGS,
      ),
    )
    .option(
      "--sharpness [radius]",
      `how far the loss rises in a ball, as SAM and ASAM measure it, and under noise (radius: ${MEASURE_SHARPNESS_DEFAULTS.radius})`,
      parseNumber,
    )
    .option(
      "--critical-sharpness",
      "the curvature along the gradient from losses alone: 2 over the learning rate that raises the loss",
    )
    .option("--learning-coefficient", "the local learning coefficient, by Langevin dynamics")
    .option("--draws <n>", `losses of each chain (default: ${CHAIN.draws})`, parseCount(2))
    .option("--chains <n>", `number of chains (default: ${CHAIN.chains})`, parseCount(2))
    .option("--burn-in <n>", `steps before the first of them (default: ${CHAIN.burnIn})`, parseCount(0))
    .option("--step <x>", `variance of the noise of a step (default: ${CHAIN.step})`, parseNumber)
    .option("--localization <x>", `pull back to the network (default: ${CHAIN.localization})`, parseNumber)
    .option(
      "--settling [sizes]",
      "how the loss and its Hessian settle as the examples grow, by numbers of them such as 50,100,200 (default: powers of 2 from 16)",
      parseNumbers,
    )
    .option("--canonical", "measure the network with its scales, signs and rotations undone, too");
});

/**
 * Returns the options of `measureCurvature` for what is measured besides the spectrum.
 * @throws UsageError if options of chains are passed without the measure they belong to
 */
export function curvatureMeasures(
  options: CurvatureMeasureOptions,
): Pick<
  MeasureCurvatureOptions,
  "by" | "sharpness" | "criticalSharpness" | "learningCoefficient" | "canonical" | "settling"
> {
  const { by, sharpness, criticalSharpness, learningCoefficient, settling, canonical = false } = options;
  const { draws, chains, burnIn, step, localization } = options;
  const named = Object.entries({ draws, chains, burnIn, step, localization }).filter(
    ([, value]) => value !== undefined,
  );
  const [first] = named;
  if (first !== undefined && learningCoefficient === undefined) {
    const flag = first[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(
      `Cannot measure curvature with --${flag} alone as it belongs to --learning-coefficient: add that, or leave out --${flag}`,
    );
  }
  return {
    by,
    canonical,
    ...(sharpness && { sharpness: sharpness === true ? {} : { radius: sharpness } }),
    ...(criticalSharpness && { criticalSharpness: {} }),
    ...(settling && { settling: settling === true ? {} : { sizes: settling } }),
    ...(learningCoefficient && { learningCoefficient: Object.fromEntries(named) }),
  };
}
