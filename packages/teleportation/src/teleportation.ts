import type { ResolvedOf } from "@isthmus/core";
import {
  defineNetworkMaker,
  formatNumber,
  type NetworkMaker,
  type Report,
  type Table,
} from "@isthmus/findings";
import { OBJECTIVE_KINDS } from "./objectives/objectives.ts";
import { type OrbitGroups, openOrbit } from "./orbit.ts";
import { type TeleportResult, teleport } from "./teleport.ts";
import { TELEPORT_FIELDS, type TeleportChoice } from "./teleport-options.ts";

/** Maker of teleported networks, for the command and for entries of studies. */
export const TELEPORT: NetworkMaker<TeleportChoice, "data"> = defineNetworkMaker({
  name: "teleport",
  summary: "Move a network along its symmetries to where it quantises or trains better; it computes the same",
  from: "network",
  attempt: "teleport",
  does: "teleport",
  makes: "the teleported network",
  needsGraph: true,
  options: TELEPORT_FIELDS,
  examples: {
    data: { help: "examples on which losses are measured, for objectives that need them", isOptional: true },
  },
  usage: [
    [
      "a.safetensors --graph model.onnx -o t.safetensors",
      "then quantise it: isthmus quantize t.safetensors --bits 4 --scheme block -o t4.safetensors",
    ],
    [
      "gpt --objective quantized-loss --bits 4 --scheme channel --data text:plays.txt -o teleported",
      "by the loss of the quantised network, on examples",
    ],
    [
      "a.pt --graph cnn.onnx --objective gradient-norm --steps 20 --data mnist -o steep.safetensors",
      "to where the gradient is larger, from which training goes on faster",
    ],
    [
      "a.pt --graph cnn.onnx --objective norm --moves scales --steps 0 -o balanced.safetensors",
      "all units balanced, in closed form",
    ],
  ],
  labelOf: ({ objective }) => `teleported by ${objective}`,
  make(
    { network, architecture, examples: { data } },
    options: ResolvedOf<TeleportChoice>,
    { report, signal },
  ) {
    report("Discovering symmetries");
    return teleport(architecture, network, {
      ...options,
      data,
      signal,
      onProgress: ({ done, step, steps }) => report(`Step ${step} of ${steps}`, done),
    });
  },
  async explain({ network, architecture }, { seed, moves }: ResolvedOf<TeleportChoice>, { signal }) {
    const { groups } = await openOrbit(architecture, network, { seed, moves, signal });
    const report = reportOf("network", tablesOfGroups(groups));
    return { result: groups, report: { ...report, summary: SYMMETRIES, data: groups } };
  },
  describe: (result) => describeTeleport(result as TeleportResult & { readonly network: string }),
});

function describeTeleport(result: TeleportResult & { readonly network: string }): Report {
  const { network, objective, direction, before, after, bestStep, start, starts, outputError, groups } =
    result;
  const { subject } = OBJECTIVE_KINDS[objective];
  const rows = Object.entries(starts).map(([name, value]) => ({ cells: [name, value] }));
  const steps = bestStep === 0 ? [] : [{ cells: [`${start}, then ${bestStep} steps`, after], strong: true }];
  const table: Table = {
    name: "starts",
    title: "Objective by start",
    caption: "Closed forms, and the best network that steps met.",
    columns: [
      { title: "network", kind: "text" },
      { title: objective, kind: "number" },
    ],
    rows: [...rows, ...steps],
    fixed: true,
  };
  const isFree = groups.scales.length + groups.mixtures.length > 0;
  return {
    ...reportOf("teleported network", [table, ...tablesOfGroups(groups)]),
    summary: !isFree
      ? `${network} has no symmetry of --moves to be moved along, and is written unchanged`
      : `${network} moved along its symmetries to ${direction} the ${subject}: ${formatNumber(before)} before, ${formatNumber(after)} after; its outputs differ by ${outputError.toExponential(1)} of the largest one`,
    data: result,
  };
}

/** Symmetries in a sentence. */
const SYMMETRIES = "Symmetries along which the network can be moved, proved on its weights";

/** Makes a report of tables, all of which a terminal shows. */
function reportOf(subject: string, tables: readonly Table[]): Omit<Report, "summary" | "data"> {
  const section = { name: "teleport", title: "Teleport", figures: [], tables };
  return { subject, tiles: [], sections: [section], facts: [], shownTables: tables.map(({ name }) => name) };
}

/** Lists the groups of symmetries along which the network moved, and the reasons why others stay. */
function tablesOfGroups({ scales, mixtures, fixed, dropped }: OrbitGroups): Table[] {
  const moved: Table = {
    name: "groups",
    title: "Symmetries",
    caption: "Symmetries along which the network was moved, proved on its weights.",
    columns: [
      { title: "units of", kind: "text" },
      { title: "moved by", kind: "text" },
      { title: "units", kind: "whole" },
      { title: "times", kind: "whole" },
    ],
    rows: [
      ...scales.map(({ axes, size }) => ({ cells: [axes[0]?.tensor ?? "", "scales", size, 1] })),
      ...mixtures.map(({ symmetry, group, size, cells }) => ({ cells: [symmetry, group, size, cells] })),
    ],
    fixed: true,
  };
  const left = [...fixed.map(({ symmetry: name, reason }) => ({ name, reason })), ...dropped];
  if (left.length === 0) return [moved];
  const still: Table = {
    name: "still",
    title: "Not mixed",
    caption: "Units that no matrix mixes, and the reason.",
    columns: [
      { title: "units of", kind: "text" },
      { title: "reason", kind: "text" },
    ],
    rows: left.map(({ name, reason }) => ({ cells: [name, reason] })),
    fixed: true,
  };
  return [moved, still];
}
