import { at, type Checkpoint, type Tensor, UnsupportedError, UsageError } from "@isthmus/core";
import { type Architecture, type DataSet, limitExamples } from "@isthmus/graph";
import { visitActivations } from "@isthmus/statistics";
import { type LayerValue, layerValues } from "./layer-values.ts";
import { layoutOf, type Positions, sizeOfRows, type ValueLayout } from "./value-layout.ts";

/** Network with its architecture. */
export interface ComparedNetwork extends Architecture {
  /** Checkpoint of the network, with a tensor for every weight of the graph. */
  readonly network: Checkpoint;
}

/** Value of a network, with its division into samples and features. */
export interface PlannedLayer extends LayerValue {
  /** Division of the value's elements into positions and features. */
  readonly layout: ValueLayout;
  /** Number of features of each sample. */
  readonly columns: number;
}

/** Network with its values that are compared. */
export interface PlannedNetwork extends ComparedNetwork {
  /** Compared values of the network, in the order of results. */
  readonly layers: readonly PlannedLayer[];
}

/** Plan of a comparison: the values of two networks, and their division into samples. */
export interface SimilarityPlan {
  /** Networks A and B with their compared layers. */
  readonly networks: readonly [PlannedNetwork, PlannedNetwork];
  /** Treatment of positions of all layers, with `auto` decided. */
  readonly choice: Exclude<Positions, "auto">;
  /** Number of samples of each example. */
  readonly rows: number;
}

/** Number of examples in the run that shows how values grow with the number of examples. */
const SHOWING = 2;

/**
 * Chooses the values of two networks, and finds their division into samples by running two examples.
 * @throws UsageError if values have different numbers of samples
 */
export async function planLayers(
  [a, b]: readonly [ComparedNetwork, ComparedNetwork],
  data: DataSet,
  { values, positions }: { readonly values: readonly string[] | undefined; readonly positions: Positions },
): Promise<SimilarityPlan> {
  const few = limitExamples("measure similarity", data, SHOWING);
  const [first, second] = [await layoutLayers(a, few, values), await layoutLayers(b, few, values)];
  const layouts = [...first, ...second].map(({ layout }) => layout);
  const places = at(layouts, 0, "layer").positions;
  const isSequence = places > 1 && layouts.every((one) => !one.isImage && one.positions === places);
  const choice = positions !== "auto" ? positions : isSequence ? "samples" : "flatten";
  const sized = (layers: readonly LaidOutLayer[]) =>
    layers.map((layer) => ({ ...layer, ...sizeOfRows(layer.layout, choice) }));
  const [layersA, layersB] = [sized(first), sized(second)];
  const all = [...layersA, ...layersB];
  const { rows, label } = at(all, 0, "layer");
  const other = all.find((layer) => layer.rows !== rows);
  if (other !== undefined) {
    throw new UsageError(
      `Cannot measure similarity with positions as samples as all values must have as many: "${label}" has ${rows} for each example, "${other.label}" ${other.rows}; name values of one size, or flatten or average positions`,
    );
  }
  return {
    networks: [
      { ...a, layers: layersA },
      { ...b, layers: layersB },
    ],
    choice,
    rows,
  };
}

interface LaidOutLayer extends LayerValue {
  readonly layout: ValueLayout;
}

async function layoutLayers(
  network: ComparedNetwork,
  data: DataSet,
  patterns: readonly string[] | undefined,
): Promise<LaidOutLayer[]> {
  const layers = layerValues(network.graph, patterns);
  let shown: ReadonlyMap<string, Tensor> = new Map();
  const values = layers.map(({ name }) => name);
  await visitActivations([{ ...network, values }], data, { batchSize: data.size }, async ([first]) => {
    shown = first ?? shown;
  });
  // Integer values count as layers only if patterns name them.
  const chosen = layers.filter(({ name }) => patterns !== undefined || shown.get(name)?.dtype === "f32");
  if (chosen.length === 0) {
    throw new UnsupportedError(
      `Cannot measure similarity of graph "${network.graph.name}" as it must compute f32 values from its data: it computes none`,
      { feature: "layers" },
    );
  }
  return chosen.map((layer) => ({
    ...layer,
    layout: layoutOf(layer.name, shown.get(layer.name)?.shape ?? [], data.size),
  }));
}
