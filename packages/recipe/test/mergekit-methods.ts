import { fromFloat64Into, toFloat64 } from "@isthmus/core";
import { defineMergeMethod, MERGE_METHODS, type MergeMethod, type ParameterSpecs } from "@isthmus/merging";

const WEIGHT = { description: "Weight.", of: "network" } as const;
const DENSITY = { description: "Density.", of: "network", default: 1 } as const;
const LAMBDA = { description: "Factor.", of: "merge", default: 1 } as const;
const MASK = { description: "Type of masks.", of: "merge", default: false } as const;
const flag = (value: boolean) => ({ description: "Whether.", of: "merge", default: value }) as const;

/** A method of which plans are tested, and no values. */
function planned(name: string, parameters: ParameterSpecs): MergeMethod {
  return {
    ...{ name, parameters, description: `Plans ${name}.`, source: "mergekit 0.1.5, 2026" },
    networks: { least: 1, base: "required" },
    blendInto() {
      throw new Error(`${name} is only planned here`);
    },
  };
}

const passthrough = defineMergeMethod({
  name: "passthrough",
  description: "Takes one network, scaled.",
  source: "mergekit 0.1.5, 2026",
  parameters: { scale: { description: "Factor.", of: "network", default: 1 } },
  networks: { least: 1, most: 1, base: "none" },
  blendInto({ parts: [part], tensor: { parameters } }, out) {
    if (part === undefined) throw new Error("no network");
    const scale = parameters.scale[0] ?? Number.NaN;
    fromFloat64Into(
      toFloat64(part.data, part.dtype).map((x) => scale * x),
      out.dtype,
      out.data,
    );
  },
});

const FALLBACKS: readonly MergeMethod[] = [
  passthrough as unknown as MergeMethod,
  planned("task_arithmetic", { weight: WEIGHT, density: DENSITY, lambda: LAMBDA, int8_mask: MASK }),
  planned("ties", {
    ...{ weight: WEIGHT, density: DENSITY, lambda: LAMBDA, int8_mask: MASK },
    normalize: flag(true),
  }),
  planned("dare_ties", {
    ...{ weight: WEIGHT, density: DENSITY, lambda: LAMBDA, int8_mask: MASK },
    rescale: flag(true),
  }),
  planned("model_stock", { filter_wise: flag(false) }),
];

/** All methods, and methods with the parameters of mergekit where there is none of the name yet. */
export const METHODS: ReadonlyMap<string, MergeMethod> = new Map([
  ...FALLBACKS.map((method) => [method.name, method] as const),
  ...MERGE_METHODS,
]);
