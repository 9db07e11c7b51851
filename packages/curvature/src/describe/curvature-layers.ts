import { at } from "@isthmus/core";
import { dataWords, type Figure, formatNumber, type Section, type Table } from "@isthmus/findings";
import type { CurvatureResult, LayerCurvature } from "../curvature-result.ts";
import { formsOf } from "./curvature-forms.ts";

/** Values of layers that bars show. */
const LAYER_VALUES = [
  {
    name: "layer-traces",
    title: "Trace of each layer:",
    axis: "Trace",
    caption: "the sum of the eigenvalues of its block of the matrix; blocks together have the whole trace.",
    valueOf: ({ trace }: LayerCurvature) => trace?.trace,
    errorOf: ({ trace }: LayerCurvature) => trace?.standardError,
  },
  {
    name: "layer-eigenvalues",
    title: "Largest eigenvalue of each layer:",
    axis: "Largest eigenvalue",
    caption: "the sharpest direction if only this layer moves.",
    valueOf: ({ largest }: LayerCurvature) => largest?.value,
    errorOf: ({ largest }: LayerCurvature) => (largest?.converged ? undefined : largest?.residual),
  },
] as const;

/** Describes the curvature of each layer alone; returns no section if it was not measured. */
export function layersSection(result: CurvatureResult): Section[] {
  const { layers = [] } = result;
  if (layers.length === 0) return [];
  const figures = LAYER_VALUES.flatMap((shown) => layerFigure(result, shown));
  return [{ name: "layers", title: "Layer by layer", figures, tables: [layersTable(result)] }];
}

function layerFigure(result: CurvatureResult, shown: (typeof LAYER_VALUES)[number]): Figure[] {
  const forms = formsOf(result);
  const bars = forms.flatMap(({ measures }, series) =>
    (measures.layers ?? []).flatMap((layer) => {
      const [value, error] = [shown.valueOf(layer), shown.errorOf(layer)];
      if (value === undefined) return [];
      const ends = error ? { low: value - error, high: value + error } : {};
      return [{ row: layer.name, series, value, ...ends }];
    }),
  );
  if (bars.length === 0) return [];
  const words = bars.map(({ row, series, value }) =>
    [row, at(forms, series, "form").label, formatNumber(value)].filter((word) => word !== "").join(" "),
  );
  return [
    {
      name: shown.name,
      title: shown.title,
      caption: `${shown.caption} Measured on ${dataWords(result.data, result.examples)}.`,
      words: `Bars by layer. ${words.join("; ")}.`,
      table: "layers",
      size: "hero",
      plot: {
        kind: "bars",
        rows: (result.layers ?? []).map(({ name }) => name),
        series: forms.map(({ label }) => label),
        bars,
        axis: { label: shown.axis },
      },
    },
  ];
}

function layersTable(result: CurvatureResult): Table {
  const forms = formsOf(result);
  return {
    name: "layers",
    title: "Layer by layer",
    caption: "Layers in the order the network uses them, each as if the others did not move.",
    columns: [
      { title: "Layer", kind: "text" },
      ...(forms.length > 1 ? ([{ title: "Network", kind: "text" }] as const) : []),
      { title: "Parameters", kind: "count" },
      { title: "Length of gradient", kind: "number" },
      { title: "Largest eigenvalue", kind: "number" },
      { title: "Residual", kind: "number" },
      { title: "Trace", kind: "number" },
      { title: "Standard error", kind: "number" },
    ],
    rows: forms.flatMap(({ label, measures }) =>
      (measures.layers ?? []).map(({ name, dimension, gradientNorm, largest, trace }) => ({
        cells: [
          ...(forms.length > 1 ? [name, label] : [name]),
          ...[dimension, gradientNorm, largest?.value ?? null, largest?.residual ?? null],
          ...[trace?.trace ?? null, trace?.standardError ?? null],
        ],
      })),
    ),
  };
}
