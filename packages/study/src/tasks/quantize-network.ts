import { join } from "node:path";
import { at, saveCheckpoint } from "@isthmus/core";
import { schemaOf, takesParams } from "@isthmus/forms";
import {
  QUANTIZE_SCHEMES,
  QUANTIZED_BITS,
  type QuantizedBits,
  type QuantizeScheme,
  quantizeNetwork,
} from "@isthmus/sparsity";
import { pathOf } from "@isthmus/tasks";
import { z } from "zod";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind } from "./task-kind.ts";

/** The grid that weights are put on. */
interface QuantizeNetworkParams {
  readonly bits: QuantizedBits;
  readonly scheme: QuantizeScheme;
}

/** File of the weights on their grid. */
export const QUANTIZED_FILE = "weights.safetensors";

const PARAMS = schemaOf<QuantizeNetworkParams>()(
  z.strictObject({ bits: z.literal(QUANTIZED_BITS), scheme: z.enum(QUANTIZE_SCHEMES) }),
);

/** Puts the weights of a network on a grid. */
export const quantizeStudyNetwork: StudyTaskKind<QuantizeNetworkParams> = {
  name: "quantize",
  version: 1,
  ...takesParams("quantize", PARAMS),
  async run({ engine, folder }, { bits, scheme }, inputs) {
    const { graph, networks, close } = await openNetworks(inputs, [pathOf(inputs, "network")], engine);
    try {
      const { network, restore } = at(networks, 0, "network");
      const { weights, result } = await quantizeNetwork(network, { bits, scheme, graph });
      await saveCheckpoint(restore(weights), join(folder, QUANTIZED_FILE), { overwrite: true });
      return { ...result, network: "network" };
    } finally {
      await close();
    }
  },
};
