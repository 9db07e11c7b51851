import { at, createTensor, entry, type Tensor } from "@isthmus/core";
import type { HiddenLayer, UnitSite } from "@isthmus/symmetry/layout";
import { ABSENT, type AxisMap, isWritten, mapAxis, moveOf, NOTHING, type Slots } from "./element-maps.ts";

/** Weights of a network in memory, by name. */
export type Weights = ReadonlyMap<string, Tensor>;

/** Where a copy of some layers of a network lies among the units of another. */
export interface Placement {
  readonly layers: readonly HiddenLayer[];
  /** For each layer, which unit of the source each place holds, or -1; in their order. */
  readonly slots: readonly Slots[];
}

/**
 * Writes a copy of some layers of `source` into places of `host` that nothing reads: the units compute what
 * they do in the source, from each other and from what the layers in front of them compute. The function of
 * the host stays as it is.
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
 * Lets whatever reads the layers of a placement read the copy in place of all other units, and takes all else
 * that no layer of it writes, as the biases of the output, from the source: the result computes what the
 * source does. On the line to it the outputs of the network change linearly.
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
 * Writes units a second time, at places that nothing reads: the function stays as it is.
 * @param placement - which unit is repeated at each place, -1 where the place stays as it is
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
 * Lets whatever reads units read their repetitions in place of them. On the line to the result the function
 * does not change at all.
 * @param placement - as for {@link repeatUnits}
 */
export function readRepetitions(host: Weights, { layers, slots }: Placement): Weights {
  const columns = slots.map((ofLayer) => {
    const repeated = new Set(ofLayer);
    // A unit that was repeated is read no more where it was.
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

/** The units of a placement that lie in one weight. */
interface PlacedWeight {
  readonly name: string;
  readonly writes: readonly AxisMap[];
  readonly reads: readonly AxisMap[];
}

/** Returns the value of each element of a changed weight; undefined for a weight that stays as it is. */
type ChangeWeight = (weight: PlacedWeight, tensor: Tensor) => ((element: number) => number) | undefined;

/** Changes weights in memory; the ones that stay as they are are shared. */
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
