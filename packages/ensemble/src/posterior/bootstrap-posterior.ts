import {
  assertWholeOptions,
  type Checkpoint,
  createRandom,
  drawDirichlet,
  OutOfRangeError,
} from "@isthmus/core";
import { type Architecture, createClassifier, type DataSet } from "@isthmus/graph";
import { train } from "@isthmus/training";
import type { RepeatedTrainingOptions } from "../repeated-training.ts";
import { weighExamples } from "./weigh-examples.ts";

/** Options of {@link bootstrapPosterior}. */
export interface BootstrapPosteriorOptions extends RepeatedTrainingOptions {
  /** Number of networks to draw, at least 1. @defaultValue 5 */
  readonly members?: number;
  /**
   * Number of examples as which the prior network's predictions count beside the labels: 0 for not at all,
   * the number of all examples for as much as the labels.
   * @defaultValue 0
   */
  readonly concentration?: number;
  /** Number of networks that were drawn before and are skipped. @defaultValue 0 */
  readonly skip?: number;
}

const ATTEMPT = "draw networks from a posterior";

/**
 * Draws networks from the posterior by a bootstrap (nonparametric transfer learning): each is trained from a
 * prior network on the examples with weights drawn from a Dirichlet distribution, by the seed. With a
 * concentration, the examples count once more with labels drawn from the prior network's predictions:
 * `Dirichlet(1, ..., 1, c / n, ..., c / n)`. Epochs count as in `train`: in all epochs together, each example
 * is seen in proportion to its weight.
 *
 * Networks are drawn one after another; beside the prior, one network is in memory at a time.
 * @throws OutOfRangeError if an option is out of its range
 * @throws MismatchError if the prior does not fit the graph, or examples have more than inputs and a label
 * @throws InputError, UnsupportedError, DivergenceError, EngineError, DOMException as `train`
 * @see Lee et al., nonparametric transfer learning, 2023, and Fong, Lyddon and Holmes, posterior bootstrap,
 *   2019
 */
export async function* bootstrapPosterior(
  { graph, engine }: Architecture,
  prior: Checkpoint,
  data: DataSet,
  { members = 5, concentration = 0, skip = 0, epochs = 10, seed, ...options }: BootstrapPosteriorOptions,
): AsyncGenerator<Checkpoint> {
  assertWholeOptions(ATTEMPT, { members, epochs, seed, skip }, { members: 1, epochs: 1, seed: 0, skip: 0 });
  if (!(concentration >= 0 && Number.isFinite(concentration))) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "concentration" must be a number of at least 0: it is ${concentration}`,
    );
  }
  const draws = concentration === 0 ? undefined : await openPrior({ graph, engine }, prior, data);
  for (let member = skip; member < members; member++) {
    const others = draws === undefined ? 0 : data.size;
    const alphas = new Float64Array(data.size + others).fill(1);
    alphas.fill(concentration / data.size, data.size);
    const weights = drawDirichlet(alphas, createRandom(seed, `weights of member ${member}`));
    const weighed = weighExamples(data, {
      weights,
      otherLabels: draws?.(createRandom(seed, `labels of member ${member}`).uniform),
      size: epochs * data.size,
    });
    const trained = await train({ graph, engine }, prior, weighed, {
      ...options,
      seed: seed + member,
      epochs: 1,
    });
    yield { ...trained.weights, source: `member ${member} of the posterior` };
  }
}

/** Returns a function that draws a class for every example from the prior network's predictions. */
async function openPrior(
  architecture: Architecture,
  prior: Checkpoint,
  data: DataSet,
): Promise<(uniform: () => number) => Int32Array> {
  const classifier = await createClassifier(architecture, data);
  try {
    const { probabilities, classes } = await classifier.classify(prior);
    return (uniform) =>
      Int32Array.from({ length: data.size }, (_, example) => {
        let left = uniform();
        for (let label = 0; label < classes - 1; label++) {
          left -= probabilities[example * classes + label] as number;
          if (left < 0) return label;
        }
        return classes - 1;
      });
  } finally {
    await classifier.release();
  }
}
