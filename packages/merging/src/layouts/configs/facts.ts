import type { TensorInfo } from "@isthmus/core";

/** Settings as a config.json has them. */
export type Settings = Readonly<Record<string, unknown>>;

/** The config.json of a network. */
export interface PartConfig {
  /** Settings that the shapes of the tensors tell. */
  readonly told: Settings;
  /** Settings that they do not tell, as the published models of the kind have them. */
  readonly assumed: Settings;
}

/** Looks at the tensors of a network by their names in diffusers. */
export interface ShapeFacts {
  /** Extent of a tensor along an axis; 0 if there is no such tensor or axis. */
  extent(name: string, axis?: number): number;
  /** Whether there is such a tensor. */
  has(name: string): boolean;
  /** Number of axes of a tensor; 0 if there is no such tensor. */
  rank(name: string): number;
  /** Number of blocks whose names begin in this way: one more than the largest number behind it. */
  count(beginning: string): number;
}

/** Makes the functions that look at the tensors of a network. */
export function createShapeFacts(tensors: ReadonlyMap<string, TensorInfo>): ShapeFacts {
  const shapeOf = (name: string) => tensors.get(name)?.shape ?? [];
  return {
    extent: (name, axis = 0) => {
      const [extent = 0] = shapeOf(name).slice(axis);
      return extent;
    },
    has: (name) => tensors.has(name),
    rank: (name) => shapeOf(name).length,
    count(beginning) {
      let count = 0;
      for (const name of tensors.keys()) {
        const [number] = name.startsWith(beginning) ? (/^\d+/.exec(name.slice(beginning.length)) ?? []) : [];
        if (number !== undefined) count = Math.max(count, Number(number) + 1);
      }
      return count;
    },
  };
}

/** Makes a list of the values of a function for `0` to `count - 1`. */
export function listOf<T>(count: number, value: (i: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, i) => value(i));
}
