import { at } from "@isthmus/core";
import { formatNumber } from "@isthmus/findings";
import type { FittedRouter, LayerRouting, ReducedLayer } from "@isthmus/mixtures";
import { formatTable } from "./format-table.ts";

/** Numbers on a mixture of experts, for the terminal. */
export interface ExpertsFacts {
  /** Path of the mixture. */
  readonly mixture: string;
  /** Names of the texts. */
  readonly texts: readonly string[];
  /** Losses of the mixture by text. */
  readonly losses: readonly number[];
  /** Losses of the changed mixture by text; missing if nothing was changed. */
  readonly lossesAfter?: readonly number[];
  /** Use of experts by layer. */
  readonly layers: readonly LayerRouting[];
  /** Routers that were fitted; missing if none were. */
  readonly routers?: readonly FittedRouter[] | undefined;
  /** Groups of experts that became one, by layer; missing if none were reduced. */
  readonly reduced?: readonly ReducedLayer[] | undefined;
}

/** Formats the losses of a mixture, the use of its experts, fitted routers and groups of experts. */
export function formatExperts(facts: ExpertsFacts): string {
  const parts = [formatLosses(facts), formatUse(facts), formatRouters(facts), formatGroups(facts)];
  return parts.filter((part) => part !== undefined).join("\n\n");
}

function formatLosses({ texts, losses, lossesAfter }: ExpertsFacts): string {
  const columns = [
    { title: "text" },
    { title: "loss", align: "right" as const },
    ...(lossesAfter === undefined ? [] : [{ title: "after", align: "right" as const }]),
  ];
  const rows = texts.map((text, i) => [
    text,
    formatNumber(at(losses, i)),
    ...(lossesAfter === undefined ? [] : [formatNumber(at(lossesAfter, i))]),
  ]);
  return formatTable(columns, rows);
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

function formatUse({ texts, layers }: ExpertsFacts): string | undefined {
  if (layers.length === 0) return undefined;
  const experts = layers[0]?.use.length ?? 0;
  const right = (title: string) => ({ title, align: "right" as const });
  const columns = [
    ...[{ title: "layer" }, { title: "text" }],
    ...Array.from({ length: experts }, (_, i) => right(String(i))),
    ...["entropy", "balance", "capacity", "dropped"].map(right),
  ];
  const rows = layers.flatMap(({ layer, shares, entropy, balance, capacity, dropped }) =>
    texts.map((text, i) => [
      i === 0 ? layer : "",
      text,
      ...at(shares, i).map(percent),
      ...(i === 0
        ? [entropy.toFixed(2), balance.toFixed(2), capacity.toFixed(2), percent(dropped)]
        : ["", "", "", ""]),
    ]),
  );
  return formatTable(columns, rows);
}

function formatRouters({ texts, routers }: ExpertsFacts): string | undefined {
  if (routers === undefined) return undefined;
  const columns = [
    { title: "router" },
    ...texts.map((text) => ({ title: text, align: "right" as const })),
    { title: "cross-entropy", align: "right" as const },
  ];
  const rows = routers.map(({ layer, accuracies, loss }) => [
    layer,
    ...accuracies.map(percent),
    formatNumber(loss),
  ]);
  return `Held tokens that go to the expert of their text:\n${formatTable(columns, rows)}`;
}

function formatGroups({ reduced }: ExpertsFacts): string | undefined {
  if (reduced === undefined) return undefined;
  const rows = reduced.map(({ layer, groups }) => [
    layer,
    groups.map(({ members }) => members.join("+")).join(", "),
  ]);
  return formatTable([{ title: "layer" }, { title: "experts made of" }], rows);
}
