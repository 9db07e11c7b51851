import {
  at,
  type Checkpoint,
  createTensor,
  DTYPES,
  defineCheckpoint,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import type { MergePlan, PlannedTensor } from "@isthmus/merging";
import type { LayerGates } from "../build/gate-mode.ts";
import type { OpenedAdapterMixture } from "./open-adapter-mixture.ts";

/** Path of the folder of the router within the folder of a mixture: it is that folder itself. */
export const ROUTER = "";

/** Lists the tensors of the router. */
export function listRouterTensors({
  layout: { routerLayer },
  base: { width },
  experts: { length },
  features,
}: OpenedAdapterMixture): ReadonlyMap<string, TensorInfo> {
  const size = features?.bias.data.length;
  const layers =
    size === undefined
      ? [[length, width]]
      : [
          [size, width],
          [length, size],
        ];
  return new Map(
    layers.flatMap((shape, i) => [
      [`${routerLayer(i)}.weight`, { dtype: "f32", shape }] as const,
      [`${routerLayer(i)}.bias`, { dtype: "f32", shape: shape.slice(0, 1) }] as const,
    ]),
  );
}

/** Puts gates in the last layer of the router, whose bias is zero. */
export function fillRouter(opened: OpenedAdapterMixture, gates: LayerGates): ReadonlyMap<string, Tensor> {
  const { experts, features } = opened;
  const bias = new Float32Array(experts.length);
  const before = features === undefined ? [] : [features.weight.data, features.bias.data];
  const data = [...before, gates, bias];
  return new Map(
    [...listRouterTensors(opened)].map(([name, { dtype, shape }], i) => [
      name,
      createTensor(dtype, shape, at(data, i, "tensor")),
    ]),
  );
}

/** Returns a router of zeros, for a plan before any gates are computed. */
export function zeroRouter(opened: OpenedAdapterMixture): Checkpoint {
  return defineCheckpoint({
    source: "gates",
    tensors: listRouterTensors(opened),
    readInto: async (_name, _begin, out) => void out.fill(0 as never),
  });
}

/**
 * Plans the files of a mixture of adapters, each in a folder: the adapters, whose tensors are copied, and the
 * router.
 * @param router - checkpoint of the tensors of {@link listRouterTensors}
 * @returns a plan for each folder, the router last
 */
export function planFiles(opened: OpenedAdapterMixture, router: Checkpoint): ReadonlyMap<string, MergePlan> {
  const { base, experts, gateMode, seed, dtype } = opened;
  const plans = new Map<string, MergePlan>();
  const planOf = (
    networks: MergePlan["networks"],
    of: Checkpoint,
    { type, reason }: { readonly type: typeof dtype; readonly reason: string },
  ): MergePlan => {
    const network = networks.indexOf(of);
    const tensors = [...of.tensors].map(([name, { dtype: stored, shape }]): [string, PlannedTensor] => {
      const info = { dtype: DTYPES[stored].float ? (type ?? stored) : stored, shape };
      return [
        name,
        { info, sources: [{ network, tensor: name }], method: undefined, parameters: {}, reason },
      ];
    });
    return { source: of.source, networks, tensors: new Map(tensors), metadata: { format: "pt" }, seed };
  };
  for (const [i, { adapter, model, place }] of experts.entries()) {
    const reason = `${model === undefined ? "adapter" : "difference from the base"} of expert ${i} (${place})`;
    plans.set(String(i), planOf([adapter.checkpoint], adapter.checkpoint, { type: dtype, reason }));
  }
  const reason = `gates by the mode ${gateMode.name}`;
  plans.set(ROUTER, planOf([base.checkpoint, router], router, { type: undefined, reason }));
  return plans;
}

/** Joins the plans of files into one, in which names of tensors begin with the folders of their files. */
export function joinPlans(
  { base, seed }: OpenedAdapterMixture,
  plans: ReadonlyMap<string, MergePlan>,
): MergePlan {
  const networks: [Checkpoint, ...Checkpoint[]] = [base.checkpoint];
  const tensors = new Map<string, PlannedTensor>();
  for (const [folder, plan] of plans) {
    const places = plan.networks.map((network) => {
      const position = networks.indexOf(network);
      return position < 0 ? networks.push(network) - 1 : position;
    });
    for (const [name, planned] of plan.tensors) {
      const [{ network, tensor }] = planned.sources;
      const sources = [{ network: at(places, network, "network"), tensor }] as const;
      tensors.set(folder === ROUTER ? name : `${folder}/${name}`, { ...planned, sources });
    }
  }
  return { source: `mixture of adapters of ${base.name}`, networks, tensors, metadata: {}, seed };
}
