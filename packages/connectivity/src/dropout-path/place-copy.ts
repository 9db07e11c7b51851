import { at, createTensor, entry, type Tensor } from "@isthmus/core";
import type { HiddenLayer, UnitSite } from "@isthmus/symmetry/layout";
import { ABSENT, type AxisMap, isWritten, mapAxis, moveOf, NOTHING, type Slots } from "./element-maps.ts";

/** Weights of a network in memory, by name. */
export type Weights = ReadonlyMap<string, Tensor>;

/** Placement of a copy of some layers of one network among the units of another. */
export interface Placement {
  /** Layers that are copied, all present in both networks. */
  readonly layers: readonly HiddenLayer[];
  /**
   * Units of the source at the places of each layer, or -1 for places that do not change, in the order of
   * `layers`.
   */
  readonly slots: readonly Slots[];
}

/**
 * Writes a copy of some layers of `source` into places of `host` that nothing reads: the copied units compute
 * the same as in the source, from each other and from the outputs of the layers in front of them. The
 * function of the host does not change.
 */
export function writeCopy(host: Weights, source: Weights, placement: Placement): Weights {
  return change(host, placement, ({ name, writes, reads }, { data }) => {
    if (writes.length === 0) return undefined;
    const sourceData = entry(source, name, "weight").data;
    return (element) => {
      const row = moveOf(writes, element, true);
      if (row === ABSENT) return data[element] as number;
      const column = moveOf(reads, element, false);
      return column === ABSENT ? 0 : (sourceData[element + row + column] as number);
    };
  });
}

/**
 * Makes the readers of the layers of a placement read the copy instead of all other units, and takes the
 * other weights that no layer of the placement writes, such as the biases of the output, from the source: the
 * result has the function of the source. On the line to the result, the outputs of the network change
 * linearly.
 */
export function readCopy(host: Weights, source: Weights, placement: Placement): Weights {
  return change(host, placement, ({ name, writes, reads }, { data }) => {
    const sourceData = entry(source, name, "weight").data;
    return (element) => {
      if (isWritten(writes, element)) return data[element] as number;
      const column = moveOf(reads, element, false);
      return column === ABSENT ? 0 : (sourceData[element + column] as number);
    };
  });
}

/**
 * Writes units a second time, at places that nothing reads, so that the function does not change.
 * @param placement - unit to repeat at each place, or -1 for places that do not change
 */
export function repeatUnits(host: Weights, placement: Placement): Weights {
  return change(host, placement, ({ writes }, { data }) => {
    if (writes.length === 0) return undefined;
    return (element) => {
      const row = moveOf(writes, element, true);
      return data[row === ABSENT ? element : element + row] as number;
    };
  });
}

/**
 * Makes the readers of units read their repetitions instead. On the line to the result, the function does not
 * change at all.
 * @param placement - as for {@link repeatUnits}
 */
export function readRepetitions(host: Weights, { layers, slots }: Placement): Weights {
  const columns = slots.map((ofLayer) => {
    const repeated = new Set(ofLayer);
    // A unit that was repeated is no longer read at its former place.
    return ofLayer.map((unit, place) => (unit >= 0 ? unit : repeated.has(place) ? NOTHING : place));
  });
  return change(host, { layers, slots: columns }, ({ reads }, { data }) => {
    if (reads.length === 0) return undefined;
    return (element) => {
      const column = moveOf(reads, element, false);
      return column === ABSENT ? 0 : (data[element + column] as number);
    };
  });
}

/** Maps of the axes of one weight on which units of a placement lie. */
interface PlacedWeight {
  readonly name: string;
  readonly writes: readonly AxisMap[];
  readonly reads: readonly AxisMap[];
}

/**
 * Function that returns the values of the elements of a changed weight; undefined for a weight that does not
 * change.
 */
type ChangeWeight = (weight: PlacedWeight, tensor: Tensor) => ((element: number) => number) | undefined;

/** Changes weights in memory; the result shares the memory of weights that do not change. */
function change(host: Weights, { layers, slots }: Placement, changeWeight: ChangeWeight): Weights {
  const changed = new Map<string, Tensor>();
  for (const [name, tensor] of host) {
    const mapsOf = (side: "writes" | "reads") =>
      layers.flatMap((layer, index) =>
        sitesIn(layer[side], name).map((site) => mapAxis(site, at(slots, index, "layer"))),
      );
    const elementOf = changeWeight({ name, writes: mapsOf("writes"), reads: mapsOf("reads") }, tensor);
    changed.set(name, elementOf === undefined ? tensor : fill(tensor, elementOf));
  }
  return changed;
}

const sitesIn = (sites: readonly UnitSite[], name: string): readonly UnitSite[] =>
  sites.filter(({ tensor }) => tensor === name);

function fill({ dtype, shape, data }: Tensor, elementOf: (element: number) => number): Tensor {
  if (dtype !== "f32" && dtype !== "f64") return { dtype, shape, data };
  const values = dtype === "f32" ? new Float32Array(data.length) : new Float64Array(data.length);
  for (let element = 0; element < values.length; element++) values[element] = elementOf(element);
  return createTensor(dtype, shape, values);
}
