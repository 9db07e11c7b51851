import type { ResolvedOf } from "@isthmus/core";
import { defineNetworkMaker, formatCounted, type NetworkMaker, type Report } from "@isthmus/findings";
import { type QuantizeResult, quantizeNetwork } from "./quantize-network.ts";
import { QUANTIZE_FIELDS, type QuantizeChoice } from "./quantize-options.ts";
import type { QuantizeScheme } from "./weight-grids.ts";

/** Maker of quantised networks, for the command and for entries of studies. */
export const QUANTIZE: NetworkMaker<QuantizeChoice, never> = defineNetworkMaker({
  name: "quantize",
  summary: "Put the weights of a network on a grid of 8 or 4 bits",
  from: "network",
  attempt: "quantize",
  does: "quantise",
  makes: "the network with its weights on the grid, as floating-point numbers",
  options: QUANTIZE_FIELDS,
  usage: [
    [
      "a.safetensors --bits 4 -o a4.safetensors",
      "then measure it as any network: isthmus barrier a.safetensors a4.safetensors --graph model.onnx --data mnist:test",
    ],
    ["a.pt --scheme tensor --layers 'features.*' -o a8.safetensors", "one scale for each tensor"],
  ],
  labelOf: ({ bits }) => `${bits} bits`,
  make({ network, architecture }, options: ResolvedOf<QuantizeChoice>, { report }) {
    report("Quantising");
    return quantizeNetwork(network, { ...options, graph: architecture?.graph });
  },
  describe: (result) => describeQuantized(result as QuantizeResult),
});

/** Parts of weights that have a scale each, by the scheme. */
const SCALED: Readonly<Record<QuantizeScheme, string>> = {
  channel: "output channel",
  tensor: "weight",
  block: "block of 32 elements",
};

function describeQuantized(result: QuantizeResult): Report {
  const { network, bits, scheme, layers } = result;
  return {
    subject: "quantised network",
    summary: `Weights of ${network} on the grid of ${bits} bits, one scale for each ${SCALED[scheme]}`,
    tiles: [],
    sections: [
      {
        name: "weights",
        title: "Weights",
        figures: [],
        tables: [
          {
            name: "weights",
            title: `Error of ${formatCounted(layers.length, "weight")}`,
            caption: "Root of the mean squared error, over the root of the mean square of the weight.",
            columns: [
              { title: "weight", kind: "text" },
              { title: "elements", kind: "count" },
              { title: "scales", kind: "count" },
              { title: "relative error", kind: "share" },
            ],
            rows: layers.map((layer) => ({
              cells: [layer.name, layer.elements, layer.scales, layer.relativeError],
            })),
          },
        ],
      },
    ],
    facts: [],
    data: result,
  };
}
