import { at } from "@isthmus/core";
import { createMatrix, type Matrix } from "@isthmus/linear-algebra";
import type { Correspondence } from "../transport/correspond.ts";
import { followParents, type UnitTransport, type UnitTransports } from "../transport/unit-plans.ts";

/**
 * Maps of the units of one network to the units of another. Each is `[source units, target units]` with
 * orthonormal rows if the target is wider and orthonormal columns if it is narrower, so that weights that
 * compute units and weights that sum over them are moved by the same matrix.
 */
export class WidthMaps implements UnitTransports {
  readonly #correspondence: Correspondence;
  readonly #maps: ReadonlyMap<number, Matrix>;
  readonly #pairedPower: number;
  readonly #transports = new Map<number, UnitTransport>();

  /**
   * @param maps - maps of the symmetries that were placed so far, by index
   * @param pairedPower - power of the ratio of units in each cell by which queries and keys are multiplied:
   *   1/4 makes up for a graph that divides their products by the root of that number; 0 leaves them
   */
  constructor(correspondence: Correspondence, maps: ReadonlyMap<number, Matrix>, pairedPower: number) {
    this.#correspondence = correspondence;
    this.#maps = maps;
    this.#pairedPower = pairedPower;
  }

  /** Returns the map of a symmetry; undefined before it is placed. */
  mapOf(symmetry: number): Matrix | undefined {
    return this.#maps.get(symmetry);
  }

  transportOf(family: number): UnitTransport | undefined {
    const transport = this.#transports.get(family) ?? this.#create(family);
    if (transport !== undefined) this.#transports.set(family, transport);
    return transport;
  }

  #create(index: number): UnitTransport | undefined {
    const { families, paired } = this.#correspondence;
    const family = at(families, index, "family");
    if (family.symmetry === undefined) return followParents(family, families, this);
    const map = this.#maps.get(family.symmetry);
    if (map === undefined) return undefined;
    if (!paired.has(family.symmetry)) return { means: map, shares: map };
    const [from, to] = [family.source, family.target].map(({ count, parents }) => count / parents.length);
    const factor = ((to ?? 1) / (from ?? 1)) ** this.#pairedPower;
    const means = createMatrix(
      map.rows,
      map.columns,
      Float64Array.from(map.data, (value) => factor * value),
    );
    return { means, shares: map };
  }
}
