import { at, meanOf } from "@isthmus/core";
import {
  dataWords,
  distinctNamesOfFiles,
  type Figure,
  factsOf,
  formatCounted,
  formatMeasure,
  formatShort,
  type Report,
  type Section,
  sectionOfTable,
  sequentialScale,
  type Tile,
} from "@isthmus/findings";
import type { AttackedSource, AttackResult } from "../attack/attack-result.ts";

/** Describes the transfer of adversarial examples, made on some networks, to others. */
export function describeAttack(result: AttackResult): Report {
  const { targets, sources } = result;
  return {
    subject: "attack",
    summary: summarize(result),
    tiles: sources.map((source, style) => tileOf(result, source, style)),
    sections: [transferSection(result), sourcesSection(result), targetsSection(result)],
    facts: factsOf(result, [
      { name: "Attack", value: attackWords(result) },
      { name: "Targets", value: `${targets.length}: ${targets.map(({ network }) => network).join(", ")}` },
    ]),
    notes: result.pixels
      ? []
      : [
          "Distances are of the numbers that networks are fed, which are not known to be pixels and keep to no range.",
        ],
    shownTables: ["transfer", "sources", "targets"],
    data: result,
  };
}

/**
 * Returns the success of a source's attack on the targets except its own networks, or on all targets if there
 * are no others.
 */
function transfersOf({ targets }: AttackResult, source: AttackedSource): number[] {
  const all = source.targets.map(({ success }, i) => ({
    success,
    network: at(targets, i, "target").network,
  }));
  const others = all.filter(({ network }) => !source.networks.includes(network));
  return (others.length > 0 ? others : all).flatMap(({ success }) => (success === null ? [] : [success]));
}

function summarize(result: AttackResult): string {
  const means = result.sources.map((source) => ({
    name: source.name,
    mean: meanOf(transfersOf(result, source)),
  }));
  const best = means.reduce((most, one) => (one.mean > most.mean ? one : most));
  const others = means
    .filter((one) => one !== best)
    .map(({ name, mean }) => `${name} ${formatMeasure(mean, "error")}`);
  const rest = others.length === 0 ? "" : `; ${others.join(", ")}`;
  return `Examples changed by ${attackWords(result)} on ${best.name} fool targets that are not their source in ${formatMeasure(best.mean, "error")} of the examples these classify correctly${rest}.`;
}

function attackWords({ method, norm, epsilon, steps, stepSize, pixels, randomStart }: AttackResult): string {
  const distance = `${norm === "linf" ? "L-infinity" : "L2"} ${formatShort(epsilon)}${pixels ? " of pixels from 0 to 1" : ""}`;
  if (method === "fgsm") return `FGSM within ${distance}`;
  const start = randomStart ? ", from random places" : "";
  return `PGD within ${distance}, ${formatCounted(steps, "step")} of ${formatShort(stepSize)}${start}`;
}

function tileOf(result: AttackResult, source: AttackedSource, style: number): Tile {
  const shares = transfersOf(result, source);
  return {
    name: source.name,
    value: formatMeasure(meanOf(shares), "error"),
    unit: "",
    more: [
      `success on ${formatCounted(shares.length, "target")}`,
      `${formatCounted(source.networks.length, "network")}${source.networks.length > 1 ? modeWords(source) : ""}`,
    ],
    style,
  };
}

const modeWords = ({ mode }: AttackedSource): string => (mode === "in-turn" ? " in turn" : " together");

function transferSection(result: AttackResult): Section {
  const names = distinctNamesOfFiles(result.targets.map(({ network }) => network));
  return {
    name: "transfer",
    title: "Success on every target",
    figures: [transferFigure(result, names)],
    tables: [
      {
        name: "transfer",
        title: "Success on every target",
        caption: `Share of the examples that a target classifies correctly whose changed ones it does not, on ${dataWords(result.data, result.examples)}.`,
        columns: [
          { title: "Source", kind: "text" },
          ...names.map((title) => ({ title, kind: "share" as const })),
        ],
        rows: result.sources.map(({ name, targets }) => ({
          cells: [name, ...targets.map(({ success }) => success)],
        })),
      },
    ],
  };
}

function transferFigure({ sources, data, examples }: AttackResult, names: readonly string[]): Figure {
  const values = sources.map(({ targets }) => targets.map(({ success }) => success));
  const words = sources.map(
    ({ name }, row) =>
      `${name}: ${values[row]?.map((value, i) => `${names[i]} ${value === null ? "unknown" : formatMeasure(value, "error")}`).join(", ")}`,
  );
  return {
    name: "transfer",
    title: "Success of changed examples, by source and target,",
    caption: `in percent of the examples that the target classifies correctly; lighter is more. Measured on ${dataWords(data, examples)}.`,
    words: `Heat map of success in percent. ${words.join("; ")}.`,
    table: "transfer",
    size: "hero",
    plot: {
      kind: "heat",
      rows: sources.map(({ name }) => name),
      columns: names,
      values: values.map((row) => row.map((value) => (value === null ? null : 100 * value))),
      label: "Success (%)",
      columnLabel: "Target",
      scale: sequentialScale(values.flat().flatMap((value) => (value === null ? [] : [100 * value]))),
      format: "short",
    },
  };
}

function sourcesSection({ sources }: AttackResult): Section {
  return sectionOfTable({
    name: "sources",
    title: "What examples were made on",
    caption:
      "Cross-entropy of the mean logits of the source's networks, before and after examples are changed.",
    columns: [
      { title: "Source", kind: "text" },
      { title: "Networks", kind: "count" },
      { title: "Together or in turn", kind: "text" },
      { title: "Loss before", kind: "loss" },
      { title: "Loss after", kind: "loss" },
    ],
    rows: sources.map(({ name, networks, mode, loss }) => ({
      cells: [
        name,
        networks.length,
        networks.length === 1 ? "alone" : mode.replace("-", " "),
        loss.before,
        loss.after,
      ],
    })),
  });
}

function targetsSection({ targets, sources }: AttackResult): Section {
  const names = distinctNamesOfFiles(targets.map(({ network }) => network));
  return sectionOfTable({
    name: "targets",
    title: "What targets still classify correctly",
    caption: "Accuracy on unchanged examples, and as each source changes them.",
    columns: [
      { title: "Target", kind: "text" },
      { title: "Unchanged", kind: "share" },
      ...sources.map(({ name }) => ({ title: name, kind: "share" as const, group: "Changed on" })),
    ],
    rows: targets.map(({ accuracy }, i) => ({
      cells: [
        at(names, i, "name"),
        accuracy,
        ...sources.map((source) => at(source.targets, i, "target").accuracy),
      ],
    })),
  });
}
