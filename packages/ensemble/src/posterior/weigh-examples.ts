import { MismatchError, OutOfRangeError, sumOf } from "@isthmus/core";
import { allocateBatch, type Batch, type DataSet, gatherExamples } from "@isthmus/graph";

const ATTEMPT = "weigh examples";

/** Weights of the examples of a data set, which may occur a second time with other labels. */
export interface WeighedExamples {
  /**
   * Weights of the examples, followed by weights of the examples with other labels if there are such labels;
   * all add up to 1.
   */
  readonly weights: Float64Array;
  /** Other labels of the examples. @defaultValue none */
  readonly otherLabels?: Int32Array | undefined;
  /** Number of examples of the new data set: the more, the closer counts are to the weights. */
  readonly size: number;
}

/**
 * Makes a data set in which each example occurs about as often as its weight says, so that a training that
 * sees each of its examples once minimises the weighted loss: counts are the weights times the size, rounded
 * up or down so that they add up to the size. Examples are not copied.
 * @throws MismatchError if there is not one weight for each example, or examples have more than inputs and a
 *   label
 * @throws OutOfRangeError if weights are not shares
 */
export function weighExamples(data: DataSet, { weights, otherLabels, size }: WeighedExamples): DataSet {
  const count = data.size + (otherLabels?.length ?? 0);
  const isPlain = (data.features?.size ?? 0) === 0 && (data.labelling ?? "example") === "example";
  if (
    weights.length !== count ||
    (otherLabels !== undefined && otherLabels.length !== data.size) ||
    !isPlain
  ) {
    throw new MismatchError(
      `Cannot ${ATTEMPT} of "${data.name}" as there must be one weight for each, and no more than inputs and a label: there are ${weights.length} for ${count}`,
      { parameters: [] },
    );
  }
  const sum = sumOf(weights);
  if (!weights.every((weight) => weight >= 0) || Math.abs(sum - 1) > 1e-6) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} of "${data.name}" as weights must be at least 0 and of sum 1: their sum is ${sum}`,
    );
  }
  const places = placesOf(weights, size);
  const gather = (indices: Uint32Array, out: Batch): Batch => {
    const origins = indices.map((index) => (places[index] as number) % data.size);
    gatherExamples(data, origins, out);
    indices.forEach((index, row) => {
      const other = (places[index] as number) - data.size;
      if (other >= 0) out.labels[row] = otherLabels?.[other] as number;
    });
    return out;
  };
  return {
    ...data,
    size,
    read(begin, end) {
      if (!(begin >= 0 && begin <= end && end <= size)) {
        throw new OutOfRangeError(
          `Cannot read examples ${begin} to ${end} of "${data.name}" as the range must be within it: it has ${size}`,
        );
      }
      return gather(
        Uint32Array.from({ length: end - begin }, (_, i) => begin + i),
        allocateBatch(data, end - begin),
      );
    },
    gatherInto: gather,
  };
}

/** Lists each index as often as its weight demands, in rising order. */
function placesOf(weights: Float64Array, size: number): Uint32Array {
  const places = new Uint32Array(size);
  let [passed, filled] = [0, 0];
  weights.forEach((weight, place) => {
    passed += weight;
    const end = place === weights.length - 1 ? size : Math.min(size, Math.round(passed * size));
    places.fill(place, filled, end);
    filled = Math.max(filled, end);
  });
  return places;
}
